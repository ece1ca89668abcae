import { z } from 'zod';
import type { GameDay } from './game-day.ts';

/** A line of a node, at LOG_LEVEL=info. */
const lineSchema = z.looseObject({
  level: z.number(),
  msg: z.string().optional(),
  err: z.looseObject({ message: z.string().optional() }).optional(),
});

/** pino's number of a warning. */
const warning = 40;

export interface LogLine {
  source: string;
  text: string;
  /** Its cause. */
  detail?: string;
}

/** The name of the load balancer as a source. */
export const balancerName = 'HAProxy';

/** A process and how much of its output was read. */
interface Source {
  name: string;
  output: () => string;
  read: number;
}

/** Reads what the nodes and the load balancer log. */
export class LogReader {
  readonly #day: GameDay;
  /** By the process, because a restart replaces it. The last lines of the former one may be the most important ones. */
  readonly #sources = new Map<object, Source>();

  constructor(day: GameDay) {
    this.#day = day;
  }

  /** @returns the important lines since the last call */
  next(): LogLine[] {
    const { members, balancer } = this.#day;
    for (const { name, node } of members) {
      const { server } = node;
      this.#add(server, name, () => server.output);
    }
    this.#add(balancer, balancerName, () => balancer.logs);
    return [...this.#sources.values()].flatMap((source) =>
      newLines(source).flatMap((line) => {
        const read = source.name === balancerName ? ofBalancer(line) : ofNode(line);
        return read === undefined ? [] : { source: source.name, ...read };
      }),
    );
  }

  #add(process: object, name: string, output: () => string): void {
    if (!this.#sources.has(process)) this.#sources.set(process, { name, output, read: 0 });
  }
}

function newLines(source: Source): string[] {
  const text = source.output();
  const end = Math.max(source.read, text.lastIndexOf('\n') + 1);
  const lines = text.slice(source.read, end).split('\n');
  source.read = end;
  return lines;
}

/** Warnings, errors, and a stop. */
function ofNode(line: string): Omit<LogLine, 'source'> | undefined {
  if (!line.startsWith('{')) return undefined;
  const { level, msg = '', err } = lineSchema.parse(JSON.parse(line));
  if (level < warning && !msg.startsWith('SIG')) return undefined;
  if (err?.message === undefined) return { text: msg };
  // pino appends the message of the cause, which is often the same.
  return { text: msg, detail: err.message.replace(/(.+?): (?=\1)/g, '') };
}

/** `soku-2 is DOWN (Layer7 wrong status, code: 503)`. */
function ofBalancer(line: string): Omit<LogLine, 'source'> | undefined {
  const [, server, state, reason] =
    /Server soku\/(\S+) is (UP|DOWN), reason: (.+?)(?:, (?:info|check)|\.)/.exec(line) ?? [];
  if (server !== undefined) return { text: `${server} is ${state}${state === 'UP' ? '' : ` (${reason})`}` };
  return line.includes('no server available') ? { text: 'no server is available' } : undefined;
}

/** Lines with the same text once, with their sources, the first cause and their number. */
export function summarizeLines(lines: readonly LogLine[]): string[] {
  const byText = Map.groupBy(lines, ({ text }) => text);
  return Array.from(byText, ([text, [first, ...others]]) => {
    const sources = [...new Set([first, ...others].map((line) => line?.source))].sort();
    const cause = first?.detail === undefined ? '' : ` (${first.detail})`;
    const count = others.length === 0 ? '' : `, ${others.length + 1} times`;
    return `${sources.join(', ')}: ${text}${cause}${count}`;
  });
}
