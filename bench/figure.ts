/** One measured figure. */
export interface Figure {
  name: string;
  /** The value of each round; the median and the spread are shown. */
  values: number[];
  unit: string;
  /** Compared with the median. Optional. */
  goal?: Goal;
  /** How it was measured, in one or two sentences. */
  how: string;
  /** The two or more sides of a ratio, Soku first, the yardstick last; without a goal, the parts of the figure. */
  sides?: Side[];
}

/** In the figure's own unit. */
export type Goal = { atLeast: number } | { below: number };

/** The results of one program in each round. */
export interface Side {
  name: string;
  values: number[];
  unit: string;
}

/** Measures a group of figures that need the same servers or data. */
export type Measure = (sizes: Sizes) => Promise<Figure[]>;

/** Sizes and durations. Only `fullSizes` produces valid figures; `quickSizes` checks that the programs work. */
export interface Sizes {
  /** Keys in the database, unless a figure states another number. */
  keys: number;
  /** How many of them are used, in random order. */
  keysInUse: number;
  /** Table sizes whose cost is compared; the first is the yardstick. */
  tables: [number, number, number];
  /** How many keys are used in each of these tables, so that only the table size differs. */
  keysInUseOfTables: number;
  /** Keys cached at once, to measure the memory of each. */
  keysInMemory: number;
  /** Revokes that are timed in each round. */
  revokes: number;
  /** Files of the repository that is scanned for keys. */
  scannedFiles: number;
  /** Turns of each program. */
  rounds: number;
  /** Turns of programs that differ so little that a result needs more turns. */
  pairs: number;
  /** Seconds of the same load before each count, so that compilation, caches and usage writes are as in a long run. */
  warmUp: number;
  /** Seconds that are counted. */
  counted: number;
  /**
   * Seconds of the warm-up, and again of the count, of a server that writes usage once a minute, so that the count contains
   * these writes as often as a long run.
   */
  sustained: number;
}

export const fullSizes: Sizes = {
  keys: 1_000_000,
  keysInUse: 100_000,
  tables: [1_000, 1_000_000, 10_000_000],
  keysInUseOfTables: 1_000,
  keysInMemory: 1_000_000,
  revokes: 300,
  scannedFiles: 10_000,
  rounds: 3,
  pairs: 7,
  warmUp: 4,
  counted: 6,
  sustained: 60,
};

export const quickSizes: Sizes = {
  keys: 20_000,
  keysInUse: 2_000,
  tables: [1_000, 5_000, 20_000],
  keysInUseOfTables: 500,
  keysInMemory: 20_000,
  revokes: 20,
  scannedFiles: 500,
  rounds: 2,
  pairs: 2,
  warmUp: 1,
  counted: 1,
  sustained: 2,
};

/** The middle value; with an even number of values, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = Number.NaN] = [
    sorted[sorted.length % 2 === 1 ? middle : middle - 1],
    sorted[middle],
  ];
  return (low + high) / 2;
}

/** The 99th percentile. */
export function p99(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.99) - 1] ?? Number.NaN;
}

/** The ratio of each round, in percent. Disturbances that last for a round affect both sides. */
export function ratiosInPercent(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.map((value, round) => (value / (theirs[round] ?? Number.NaN)) * 100);
}

/** 1000000 as `1 M`, 1000 as `1 k`. */
export function abbreviateCount(count: number): string {
  if (count >= 1_000_000 && count % 100_000 === 0) return `${count / 1_000_000} M`;
  return count >= 1000 && count % 100 === 0 ? `${count / 1000} k` : String(count);
}
