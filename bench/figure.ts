/** One line of the board. */
export interface Figure {
  name: string;
  /** Every round's value; the board shows the median with its spread. */
  values: number[];
  unit: string;
  /** What we aim at, when there is an aim. It is reached or missed by the median. */
  goal?: Goal;
  /** How it was measured, in a sentence or two. */
  how: string;
  /** What a ratio was made of: our own figure first, the yardstick last. */
  sides?: Side[];
}

/** In the figure's own unit. */
export type Goal = { atLeast: number } | { below: number };

/** What one contestant did in each round. */
export interface Side {
  name: string;
  values: number[];
  unit: string;
}

/** Measures some figures that belong together, because they need the same servers or data. */
export type Measure = (sizes: Sizes) => Promise<Figure[]>;

/** How large and long everything is. Only `full` makes figures; `quick` shows whether the programs work. */
export interface Sizes {
  /** Keys in the database, where a figure does not say another number. */
  keys: number;
  /** How many of them are in use, at random. */
  keysInUse: number;
  /** Numbers of keys whose cost is compared; the first is the yardstick. */
  tables: [number, number, number];
  /** How many of those are in use: as many in each table, so that only the size of the table differs. */
  keysInUseOfTables: number;
  /** Cached at once, for the memory of each. */
  keysInMemory: number;
  /** Revokes that are timed in a round. */
  revokes: number;
  /** How often each contestant has its turn. */
  rounds: number;
  /** s of the same load before each count, so that compilation, caches and the flush of usage are as in a long run. */
  warmUp: number;
  /** s that are counted. */
  counted: number;
}

export const full: Sizes = {
  keys: 1_000_000,
  keysInUse: 100_000,
  tables: [1_000, 1_000_000, 10_000_000],
  keysInUseOfTables: 1_000,
  keysInMemory: 1_000_000,
  revokes: 300,
  rounds: 3,
  warmUp: 4,
  counted: 6,
};

export const quick: Sizes = {
  keys: 20_000,
  keysInUse: 2_000,
  tables: [1_000, 5_000, 20_000],
  keysInUseOfTables: 500,
  keysInMemory: 20_000,
  revokes: 20,
  rounds: 2,
  warmUp: 1,
  counted: 1,
};

/** The middle value; with an even number of them, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = Number.NaN] = [
    sorted[sorted.length % 2 === 1 ? middle : middle - 1],
    sorted[middle],
  ];
  return (low + high) / 2;
}

/** The value that 99 of 100 do not exceed. */
export function p99(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.99) - 1] ?? Number.NaN;
}

/** Each round's ratio, in per cent: what lasts for a round, such as another program's work, falls on both. */
export function percent(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.map((value, round) => (value / (theirs[round] ?? Number.NaN)) * 100);
}

/** 1000000 as `1 M`, 1000 as `1 k`. */
export function inWords(count: number): string {
  if (count >= 1_000_000 && count % 100_000 === 0) return `${count / 1_000_000} M`;
  return count >= 1000 && count % 100 === 0 ? `${count / 1000} k` : String(count);
}
