import { redactKeys } from '@soku/key';
import { type Logger, pino } from 'pino';
import type { Config } from '../config.ts';

/**
 * Creates the log: JSON lines for programs, or readable lines on a terminal. Anything that looks like a key is redacted
 * from every line (ASVS 5.0 16.2.5).
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
    { ...options, hooks: { streamWrite: (line) => escapeForTerminal(redactKeys(line)) } },
    pretty({ sync: true, translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname', singleLine: true }),
  );
}

/** Control characters except tab and line feed, marks that reorder text, and other invisible characters. */
const unprintable = /(?![\t\n])[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/**
 * Makes the texts of a JSON line safe for a terminal: pino-pretty prints them unchanged, and an escape sequence, for
 * example in a file name, could rewrite the screen or forge a line.
 */
export function escapeForTerminal(line: string): string {
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

/** A completed request. */
interface CompletedRequest {
  method: string;
  /** The pattern of its route. */
  route: string;
  status: number;
  ms: number;
  /** The client's address. */
  address?: string;
}

/** Logs a request. @param ids its ID and the client's ID for it, unless the logger has them */
export function logRequest(log: Pick<Logger, 'debug'>, completed: CompletedRequest, ids: object = {}): void {
  log.debug({ ...ids, ...completed, ms: Math.round(completed.ms * 10) / 10 }, 'request completed');
}

/**
 * Reports the first failure immediately and later ones at most once per interval: while a database is down every
 * request fails, and a line for each would fill the disk.
 *
 * @param interval ms
 * @param report receives the number of failures that were skipped since the last call
 */
export function throttle<T>(
  interval: number,
  report: (failure: T, suppressed: number) => void,
  now: () => number = () => performance.now(),
): (failure: T) => void {
  let last = Number.NEGATIVE_INFINITY;
  let suppressed = 0;
  return (failure) => {
    if (now() - last < interval) {
      suppressed += 1;
      return;
    }
    last = now();
    report(failure, suppressed);
    suppressed = 0;
  };
}
