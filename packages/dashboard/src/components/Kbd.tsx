import './Kbd.css';

/** A key on the keyboard, as a reminder of a shortcut. Screen readers read aria-keyshortcuts instead. */
export function Kbd({ children }: { children: string }) {
  return (
    <kbd className="kbd" aria-hidden translate="no">
      {children}
    </kbd>
  );
}
