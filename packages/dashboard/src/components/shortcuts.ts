/**
 * The keyboard shortcuts. Speech input can trigger shortcuts of a single character by accident, so these can be turned
 * off (WCAG 2.1.4). The choice is stored in this browser.
 */
import { readStored, useStored, writeStored } from './stored.ts';

export type SingleKeyShortcut = 'n' | '/' | '?';

const storageName = 'soku.shortcuts';

/** On Apple devices, Ctrl K deletes the rest of a line. */
const usesCommandKey = /^(Mac|iP)/.test(navigator.platform);

export const jumpKeys = usesCommandKey
  ? { shown: '\u2318 K', aria: 'Meta+K' }
  : { shown: 'Ctrl K', aria: 'Control+K' };

export function isJumpKey({ key, ctrlKey, metaKey, altKey, shiftKey }: KeyboardEvent): boolean {
  const [wanted, other] = usesCommandKey ? [metaKey, ctrlKey] : [ctrlKey, metaKey];
  return wanted && !other && !altKey && !shiftKey && key.toLowerCase() === 'k';
}

export function hasSingleKeyShortcuts(): boolean {
  return readStored(storageName) !== 'off';
}

export function useHasSingleKeyShortcuts(): boolean {
  return useStored(storageName) !== 'off';
}

/** The key of a control, for aria-keyshortcuts; undefined if these shortcuts are off. */
export function useSingleKeyShortcut<Key extends SingleKeyShortcut>(key: Key): Key | undefined {
  return useHasSingleKeyShortcuts() ? key : undefined;
}

export function setSingleKeyShortcuts(on: boolean): void {
  writeStored(storageName, on ? null : 'off');
}
