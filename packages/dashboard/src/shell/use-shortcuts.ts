import { useNavigate } from '@tanstack/react-router';
import { useEffect, useEffectEvent } from 'react';
import { hasSingleKeyShortcuts, isJumpKey, type SingleKeyShortcut } from '../components/shortcuts.ts';
import { openShellDialog } from './open-dialog.ts';

/** Handles the keyboard shortcuts of all pages. */
export function useShortcuts(enabled: boolean): void {
  const navigate = useNavigate();

  /** Activates the control of the page that has the shortcut, so that the key and the control do exactly the same. */
  const act: Record<SingleKeyShortcut, () => unknown> = {
    n: () => {
      const control = controlOf('n');
      if (control) control.click();
      else void navigate({ to: '/settings/api', search: { panel: 'generate' } });
    },
    '/': () => {
      const field = controlOf('/');
      if (field instanceof HTMLInputElement) {
        field.focus();
        field.select();
      } else openShellDialog('jump');
    },
    '?': () => openShellDialog('shortcuts'),
  };

  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing || event.repeat) return;
    if (document.querySelector('dialog:modal')) return;
    if (isJumpKey(event)) {
      event.preventDefault();
      document.querySelector<HTMLElement>(':popover-open')?.hidePopover();
      openShellDialog('jump');
      return;
    }
    const key = singleKeyOf(event);
    if (key === undefined || !hasSingleKeyShortcuts()) return;
    event.preventDefault();
    act[key]();
  });

  useEffect(() => {
    if (!enabled) return;
    const listener = (event: KeyboardEvent) => onKey(event);
    document.addEventListener('keydown', listener);
    return () => document.removeEventListener('keydown', listener);
  }, [enabled]);
}

function controlOf(key: SingleKeyShortcut): HTMLElement | null {
  return document.querySelector<HTMLElement>(`main [aria-keyshortcuts="${key}"]`);
}

const singleKeys: readonly SingleKeyShortcut[] = ['n', '/', '?'];

/** Shift is part of `?` on most keyboards, and of `/` on some. Caps Lock makes no difference. */
function singleKeyOf(event: KeyboardEvent): SingleKeyShortcut | undefined {
  const { key, shiftKey, ctrlKey, metaKey, altKey, target } = event;
  if (ctrlKey || metaKey || altKey || isTyped(target) || document.querySelector(':popover-open')) return;
  const typed = shiftKey ? key : key.toLowerCase();
  return singleKeys.find((one) => one === typed);
}

/** Whether the key is text for the element, such as a field. */
function isTyped(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    target.closest('input:not([type="checkbox"], [type="radio"], [type="range"]), textarea, select') !== null
  );
}
