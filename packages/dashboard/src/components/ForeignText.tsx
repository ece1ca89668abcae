import { withHiddenWritten } from '@soku/contract/visible-text';

/** In UTF-16 units. Longer texts come only from a database that was edited. */
const longest = 1000;

/**
 * A text that somebody else chose, such as the name of a client: it cannot reorder the text around it, and what would be
 * invisible in it is written out.
 */
export function ForeignText({ text, className }: { text: string; className?: string }) {
  const shown = withHiddenWritten(text.length > longest ? `${text.slice(0, longest)}…` : text);
  return (
    <bdi className={className} title={className ? shown : undefined} translate="no">
      {shown}
    </bdi>
  );
}
