import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type { z } from 'zod';

/** Where a command reads from and prints to: the process, or a test that needs no process. */
export interface Terminal {
  env: NodeJS.ProcessEnv;
  stdin: Readable & { isTTY?: boolean };
  console: Pick<Console, 'log' | 'error'>;
}

/** An invalid command line: exit code 64 of sysexits.h. */
export class UsageError extends Error {}

/** @throws {UsageError} which names the argument */
export function parseArgument(what: string, schema: z.ZodType<string>, text: string): string {
  const parsed = schema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new UsageError(`${what} ${parsed.error.issues[0]?.message ?? 'is invalid'}.`);
}

/** Resolves a file against the operator's working directory, which npm replaces and passes in INIT_CWD. */
export function resolveOperatorPath(file: string): string {
  return resolve(process.env.INIT_CWD ?? '.', file);
}

/**
 * Limits how often progress lines are printed.
 *
 * @param interval ms
 * @returns a function that returns true if the interval has passed since it last returned true, or since this call
 */
export function createIntervalCheck(interval: number): () => boolean {
  let last = performance.now();
  return () => {
    if (performance.now() - last < interval) return false;
    last = performance.now();
    return true;
  };
}

/** A count with its noun, such as "1 key" and "1,000 keys". */
export function formatCount(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}
