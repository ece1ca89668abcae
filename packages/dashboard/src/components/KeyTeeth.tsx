import './KeyTeeth.css';
import type { Key } from '@soku/contract/keys';
import { type Blade, filledBlade, outlinedBlade, splitPreview, toothLengths } from './key-teeth.ts';

export interface KeyTeethProps {
  preview: string;
  /** An active key is brass, an expired one is nickel, and a revoked one is an outline. */
  status?: Key['status'];
}

const comb: Blade = {
  spine: { top: 0, bottom: 2, outline: 2.5, start: 0, end: 23 },
  tooth: { start: 0, width: 3, pitch: 4 },
  ends: [4, 7, 10, 13],
};

/** The teeth of a key. Decorative: the preview or the name next to the drawing identifies the key. */
export function KeyTeeth({ preview, status = 'active' }: KeyTeethProps) {
  const draw = status === 'revoked' ? outlinedBlade : filledBlade;
  return (
    <svg
      className={`key-teeth key-teeth--${status}`}
      width="23"
      height="13"
      shapeRendering="crispEdges"
      aria-hidden="true"
    >
      <path d={draw(comb, toothLengths(preview))} />
    </svg>
  );
}

/** The preview of a key after its teeth. */
export function KeyPreview(key: KeyTeethProps) {
  return (
    <span className="preview">
      <KeyTeeth {...key} />
      <PreviewText preview={key.preview} />
    </span>
  );
}

/** The preview alone, with the characters that distinguish keys in bold. */
export function PreviewText({ preview }: { preview: string }) {
  if (preview === '...') return <span>No preview</span>;
  const { prefix, start, end } = splitPreview(preview);
  return (
    <code className="preview__text" translate="no">
      <span>{prefix}</span>
      <b>{start}</b>
      <span>...</span>
      <b>{end}</b>
    </code>
  );
}

/** A key without teeth, for an empty list or while a key is loading. */
export function KeyBlank() {
  return (
    <svg className="key-blank" width="84" height="28" viewBox="0 0 84 28" aria-hidden="true">
      <circle cx="14" cy="14" r="12.5" />
      <circle cx="14" cy="14" r="6.5" />
      <path d="M26.5 11.5H83.5V22.5H37V16.5H26.5" />
    </svg>
  );
}
