import './SkipLink.css';

/** The first stop of the keyboard: past the navigation. */
export function SkipLink() {
  const skip = () => document.getElementById('content')?.focus();
  return (
    <button type="button" className="skip-link" onClick={skip}>
      Skip to content
    </button>
  );
}
