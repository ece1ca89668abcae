import { isErrorCode } from '@soku/contract/error-codes';
import { Link } from '@tanstack/react-router';

/** Renders the Markdown subset of our API descriptions: paragraphs and `code`. Error codes link to their help entry. */
export function Markup({ text }: { text: string }) {
  const paragraphs = text.split(/\n{2,}/).filter((paragraph) => paragraph !== '');
  return paragraphs.map((paragraph) => (
    <p key={paragraph}>
      <InlineMarkup text={paragraph} />
    </p>
  ));
}

export function InlineMarkup({ text }: { text: string }) {
  const pieces = text
    .split('`')
    .map((piece, index) => ({ piece, code: index % 2 === 1, id: `${index}${piece}` }));
  return pieces.map(({ piece, code, id }) => {
    if (!code) return <span key={id}>{piece}</span>;
    if (!isErrorCode(piece))
      return (
        <code translate="no" key={id}>
          {piece}
        </code>
      );
    return (
      <Link key={id} to="/help/api-troubleshooting" hash={piece}>
        <code translate="no">{piece}</code>
      </Link>
    );
  });
}
