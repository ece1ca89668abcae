/**
 * Puts text on the clipboard and tells whether that worked. Without a secure context (plain http in a home network)
 * there is no navigator.clipboard, and a policy may refuse it: the old command on a selected field still works then.
 */
export async function copyText(text: string, near: Element | null): Promise<boolean> {
  if (await copyWithClipboard(text)) return true;
  // Everything outside an open modal dialog is inert and cannot be selected.
  const place = near?.closest('dialog') ?? document.body;
  const field = document.createElement('textarea');
  field.value = text;
  field.readOnly = true;
  field.className = 'visually-hidden';
  place.append(field);
  const before = document.activeElement;
  field.select();
  const copied = copySelection();
  field.remove();
  if (before instanceof HTMLElement) before.focus({ preventScroll: true });
  return copied;
}

export async function copyWithClipboard(text: string): Promise<boolean> {
  try {
    if (!navigator.clipboard) return false;
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Copies what is selected. Deprecated, and the only way there is on plain http. */
export function copySelection(): boolean {
  try {
    return document.execCommand('copy');
  } catch {
    return false;
  }
}
