/**
 * Copies text to the clipboard and returns whether that succeeded. navigator.clipboard does not exist without a secure
 * context (plain http in a home network), and a policy may block it. The older copy command still works in both cases.
 */
export async function copyText(text: string, near: Element | null): Promise<boolean> {
  if (await copyWithClipboard(text)) return true;
  // Everything outside an open modal dialog is inert and cannot be selected.
  const container = near?.closest('dialog') ?? document.body;
  const field = document.createElement('textarea');
  field.value = text;
  field.readOnly = true;
  field.className = 'visually-hidden';
  container.append(field);
  const focused = document.activeElement;
  field.select();
  const copied = copySelection();
  field.remove();
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
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

/** Copies the selection. Deprecated, but the only way on plain http. */
export function copySelection(): boolean {
  try {
    return document.execCommand('copy');
  } catch {
    return false;
  }
}
