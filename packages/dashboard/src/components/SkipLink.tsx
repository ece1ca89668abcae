import './SkipLink.css';

/** The first focusable element of a page. Skips the navigation. */
export function SkipLink() {
  const skip = () => document.getElementById('content')?.focus();
  return (
    <button type="button" className="skip-link" onClick={skip}>
      Skip to content
    </button>
  );
}
