/**
 * The teeth of a key: each of the six visible characters of its preview is a tooth of one of four lengths. The drawing
 * helps to recognize a key, but does not identify it, because there are only 4,096 drawings. It reveals nothing that the
 * preview does not show.
 */

/** The characters that a preview shows on each side. */
const shownLength = 3;

interface PreviewParts {
  prefix: string;
  start: string;
  end: string;
}

/** The parts of a preview, such as `sk_live_`, `abc` and `xyz` of `sk_live_abc...xyz`. */
export function splitPreview(preview: string): PreviewParts {
  // The preview of an imported key may contain more dots.
  const gap = preview.lastIndexOf('...');
  const [left, end] = [preview.slice(0, gap), preview.slice(gap + 3)];
  return { prefix: left.slice(0, -shownLength), start: left.slice(-shownLength), end };
}

/** The first characters with the lengths 1, 2 and 3. They divide base 62, in ASCII order, into quarters. */
const quarters = ['G', 'V', 'l'];

/** The length of each tooth, from 0 to 3: 0-9 and A-F are 0, G-U 1, V-Z and a-k 2, l-z 3. */
export function toothLengths(preview: string): number[] {
  const { start, end } = splitPreview(preview);
  return [...start, ...end.slice(-shownLength)].map(
    (character) => quarters.filter((first) => character >= first).length,
  );
}

export interface Blade {
  /**
   * `outline` is the lower line of an outlined spine. A spine of 2 px has no room for two lines and a gap, so that its
   * outline is higher.
   */
  spine: { top: number; bottom: number; outline: number; start: number; end: number };
  tooth: { start: number; width: number; pitch: number };
  /** Where a tooth of each length ends. */
  ends: readonly number[];
}

/** The path of a filled blade. */
export function filledBlade({ spine, tooth, ends }: Blade, teeth: number[]): string {
  const parts = teeth.map((length, index) => {
    const start = tooth.start + index * tooth.pitch;
    return `M${start} ${spine.bottom}h${tooth.width}V${ends[length]}h-${tooth.width}Z`;
  });
  return `M${spine.start} ${spine.top}H${spine.end}V${spine.bottom}H${spine.start}Z${parts.join('')}`;
}

/** The path of a blade's outline, for a line of 1 px: half a pixel inside the filled blade. */
export function outlinedBlade({ spine, tooth, ends }: Blade, teeth: number[]): string {
  const parts = teeth.map((length, index) => {
    const start = tooth.start + index * tooth.pitch + 0.5;
    return `H${start + tooth.width - 1}V${Number(ends[length]) - 0.5}H${start}V${spine.outline}`;
  });
  const [left, right] = [spine.start + 0.5, spine.end - 0.5];
  return `M${left} ${spine.top + 0.5}H${right}V${spine.outline}${parts.reverse().join('')}H${left}Z`;
}
