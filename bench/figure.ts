/** One line of the board. */
export interface Figure {
  name: string;
  /** Every run's value; the board shows the median with its spread. */
  values: number[];
  unit: string;
  /** What we aim at, in words, when there is an aim. */
  goal?: string;
  /** How it was measured, in one sentence. */
  how: string;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = Number.NaN] = [
    sorted[sorted.length % 2 === 1 ? middle : middle - 1],
    sorted[middle],
  ];
  return (low + high) / 2;
}
