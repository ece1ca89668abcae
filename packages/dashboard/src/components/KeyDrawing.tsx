import type { KeyTeethProps } from './KeyTeeth.tsx';
import { type Blade, filledBlade, outlinedBlade, toothLengths } from './key-teeth.ts';

const blade: Blade = {
  spine: { top: 11, bottom: 15, outline: 14.5, start: 25, end: 84 },
  tooth: { start: 37, width: 6, pitch: 8 },
  ends: [18, 21, 24, 27],
};

const bow = 'M14 0a13 13 0 1 1 0 26a13 13 0 0 1 0-26ZM14 6.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13Z';

/** The teeth of a key with its bow, for a key that stands alone in a heading. */
export function KeyDrawing({ preview, status = 'active' }: KeyTeethProps) {
  const teeth = toothLengths(preview);
  return (
    <svg
      className={`key-teeth key-teeth--${status}`}
      width="84"
      height="28"
      viewBox="0 0 84 28"
      aria-hidden="true"
    >
      {status === 'revoked' ? (
        <>
          <circle cx="14" cy="13" r="12.5" />
          <circle cx="14" cy="13" r="7" />
          <path d={outlinedBlade(blade, teeth)} />
        </>
      ) : (
        <>
          <path d={filledBlade(blade, teeth)} />
          <path fillRule="evenodd" d={bow} />
        </>
      )}
    </svg>
  );
}
