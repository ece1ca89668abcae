import { escapeHiddenCharacters } from '@soku/contract/visible-text';

/** In UTF-16 code units. Only a manually edited database contains longer text. */
const maxLength = 1000;

/**
 * Untrusted text, such as the name of a client. It cannot reorder the text around it, and invisible characters are
 * escaped.
 */
export function UntrustedText({ text, className }: { text: string; className?: string }) {
  const shown = escapeHiddenCharacters(text.length > maxLength ? `${text.slice(0, maxLength)}…` : text);
  return (
    <bdi className={className} title={className ? shown : undefined} translate="no">
      {shown}
    </bdi>
  );
}
