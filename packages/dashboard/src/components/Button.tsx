import './Button.css';
import { LoaderCircle, type LucideIcon } from 'lucide-react';
import type { ComponentPropsWithRef, MouseEvent } from 'react';
import { Kbd } from './Kbd.tsx';
import type { SingleKeyShortcut } from './shortcuts.ts';

export type ButtonVariant =
  | 'primary'
  | 'secondary'
  | 'quiet'
  | 'danger'
  | 'secondary-danger'
  | 'quiet-danger'
  | 'link';

export function buttonClass(variant: ButtonVariant, extra = ''): string {
  return `button button--${variant} ${extra}`.trim();
}

interface ButtonProps extends ComponentPropsWithRef<'button'> {
  variant?: ButtonVariant;
  icon?: LucideIcon;
  /** A request is running: the button stays focusable and shows a spinner, but does nothing. */
  busy?: boolean;
  /** The key that presses the button (see useSingleKeyShortcut). */
  shortcut?: SingleKeyShortcut | undefined;
}

export function Button({ variant = 'secondary', icon: Icon, busy = false, shortcut, ...rest }: ButtonProps) {
  const { className, children, onClick, type = 'button', ...others } = rest;
  const click = (event: MouseEvent<HTMLButtonElement>) => {
    if (busy) event.preventDefault();
    else onClick?.(event);
  };
  return (
    <button
      {...others}
      type={type}
      className={buttonClass(variant, className)}
      aria-disabled={busy || undefined}
      aria-keyshortcuts={shortcut}
      onClick={click}
    >
      {busy ? <LoaderCircle className="button__spinner" size={16} aria-hidden /> : null}
      {Icon && !busy ? <Icon size={16} aria-hidden /> : null}
      {children === undefined ? null : <span>{children}</span>}
      {shortcut ? <Kbd>{shortcut.toUpperCase()}</Kbd> : null}
    </button>
  );
}
