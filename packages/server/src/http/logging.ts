import { redactKeys } from '@soku/key';
import { type Logger, pino } from 'pino';
import type { Config } from '../config.ts';

/**
 * The log: lines of JSON for programs, or readable lines when a person looks on from a terminal. Whatever comes
 * to be written, no line leaves with something in it that looks like a key (ASVS 5.0 16.2.5).
 *
 * Requests are logged by route pattern, never by URL: people put keys, setup codes and names into URLs.
 */
export async function createLog(level: Config['logLevel'], terminal: boolean): Promise<Logger> {
  const options = {
    level,
    hooks: { streamWrite: redactKeys },
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  if (!terminal) return pino(options);
  const { default: pretty } = await import('pino-pretty');
  return pino(
    { ...options, hooks: { streamWrite: (line) => visible(redactKeys(line)) } },
    pretty({ sync: true, translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname', singleLine: true }),
  );
}

/** Controls but tab and line feed, marks that reorder text, and other characters without a shape. */
const unprintable = /(?![\t\n])[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/**
 * A line of JSON whose texts can be shown on a terminal: pino-pretty writes them as they are, and an escape sequence in
 * a name, a file's for instance, could rewrite the screen or forge a line.
 */
export function visible(line: string): string {
  const spelled = (text: string) =>
    text.replace(unprintable, (mark) => `\\u${mark.codePointAt(0)?.toString(16).padStart(4, '0')}`);
  const shown = JSON.stringify(JSON.parse(line), (name, value: unknown) => {
    if (typeof value !== 'string') return value;
    return name === 'msg' ? spelled(value).replaceAll('\n', ' ') : spelled(value);
  });
  return `${shown}\n`;
}

/** Whether each request gets a line in the log. The level never changes while the process runs. */
export function logsRequests(log: { level: string }): boolean {
  return ['trace', 'debug'].includes(log.level);
}

/** A request that was answered. */
interface Answered {
  method: string;
  /** The pattern of its route. */
  route: string;
  status: number;
  ms: number;
  /** The client's. */
  address?: string;
}

/** Writes the line of a request. @param ids its id, and what the client calls it, unless the log has them */
export function logAnswered(log: Pick<Logger, 'debug'>, answered: Answered, ids: object = {}): void {
  log.debug({ ...ids, ...answered, ms: Math.round(answered.ms * 10) / 10 }, 'answered');
}

/**
 * Tells of the first failure at once, and of those that follow it no more often than that: while a database is gone
 * every request fails, and a line for each would fill a disk.
 *
 * @param interval ms
 * @param tell gets how many were passed over since it was called last
 */
export function atMostEvery<T>(
  interval: number,
  tell: (failure: T, unsaid: number) => void,
  now: () => number = () => performance.now(),
): (failure: T) => void {
  let last = Number.NEGATIVE_INFINITY;
  let unsaid = 0;
  return (failure) => {
    if (now() - last < interval) {
      unsaid += 1;
      return;
    }
    last = now();
    tell(failure, unsaid);
    unsaid = 0;
  };
}
