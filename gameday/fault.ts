import type { GameDay } from './game-day.ts';

/** What a fault does to the deployment, from its begin on. */
export interface StartedFault {
  /** Ends the fault. */
  end?: () => Promise<void> | void;
  /** Whether its effects are over. Default: as soon as every node serves. */
  isOver?: () => boolean;
  /** Facts of this fault for the report. */
  notes?: () => string[];
}

/** Something that is broken on purpose, for a while. */
export interface Fault {
  name: string;
  /** What is broken, for the report. */
  title: string;
  /** What an operator should see, with the guarantee of docs/operations/failures.md. */
  expected: string;
  /** ms for which it lasts at least. It lasts longer until its alerts were seen. */
  minMs: number;
  /** The alerts that must appear, and whether they fire in this time or would fire later. */
  alerts: Readonly<Record<string, 'pending' | 'firing'>>;
  /** Whether a client may get no response, or 503. */
  mayFail: boolean;
  /** @param say reports what it breaks */
  begin(day: GameDay, say: (text: string) => void): Promise<StartedFault> | StartedFault;
}
