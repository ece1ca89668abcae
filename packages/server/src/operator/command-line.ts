import { resolve } from 'node:path';
import type { z } from 'zod';

/** A wrong command line: exit code 64 of sysexits.h. */
export class UsageError extends Error {}

/** @throws {UsageError} that names the argument */
export function parse(what: string, schema: z.ZodType<string>, text: string): string {
  const parsed = schema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new UsageError(`${what} ${parsed.error.issues[0]?.message ?? 'is wrong'}.`);
}

/** A file that the operator named. Under npm the working directory is that of the package; a variable has theirs. */
export function fileOfOperator(file: string): string {
  return resolve(process.env.INIT_CWD ?? '.', file);
}

/** A number of things in words, such as "1 key" and "1,000 keys". */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}
