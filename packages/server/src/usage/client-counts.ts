import { z } from 'zod';
import { memoize } from '../http/memoize.ts';
import { cleanUserAgent } from '../http/user-agent.ts';

/**
 * Maximum number of addresses, and of programs, that are counted by name for a key and day. Fewer are listed, because
 * the last of these may have been busy before they were counted by name.
 */
export const maxClientNames = 60;

/** Maximum length of a program, in UTF-16 units. */
const maxProgram = 64;

/** Requests by name, and those of all other names together. */
export interface TopCounts {
  counts: Map<string, number>;
  other: number;
}

/** Accepted requests by IP address and by program. Both have the same sum. */
export interface ClientCounts {
  addresses: TopCounts;
  programs: TopCounts;
}

export function emptyClientCounts(): ClientCounts {
  return { addresses: { counts: new Map(), other: 0 }, programs: { counts: new Map(), other: 0 } };
}

export function copyClients({ addresses, programs }: ClientCounts): ClientCounts {
  const copy = ({ counts, other }: TopCounts) => ({ counts: new Map(counts), other });
  return { addresses: copy(addresses), programs: copy(programs) };
}

/** Number of names. */
export function sizeOf({ addresses, programs }: ClientCounts): number {
  return addresses.counts.size + programs.counts.size;
}

export function addCount({ counts }: TopCounts, name: string, requests: number): void {
  counts.set(name, (counts.get(name) ?? 0) + requests);
}

/** Adds the counts of `more` to `sum`. Call `limitClients` after the last of them, not in between. */
export function addClients(sum: ClientCounts, more: ClientCounts): void {
  for (const [to, from] of [
    [sum.addresses, more.addresses],
    [sum.programs, more.programs],
  ] as const) {
    for (const [name, requests] of from.counts) addCount(to, name, requests);
    to.other += from.other;
  }
}

/**
 * Keeps the names with the most requests and adds the requests of all others to `other`, so that the sum stays. If
 * requests are equal, the order of the names decides, so that every node keeps the same ones.
 */
export function limitClients({ addresses, programs }: ClientCounts, most: number = maxClientNames): void {
  for (const top of [addresses, programs]) {
    if (top.counts.size <= most) continue;
    const all = sumOfAll(top.counts.values());
    top.counts = new Map(busiest(top, most));
    top.other += all - sumOfAll(top.counts.values());
  }
}

function sumOfAll(numbers: Iterable<number>): number {
  let sum = 0;
  for (const number of numbers) sum += number;
  return sum;
}

/** A year has tens of thousands of names. Sorting their numbers first takes a tenth of the time of sorting the names. */
function busiest({ counts }: TopCounts, most: number): [name: string, requests: number][] {
  const numbers = Float64Array.from(counts.values()).sort();
  const least = numbers.at(-most) ?? 0;
  const busy = new Map<string, number>();
  for (const [name, requests] of counts) if (requests >= least) busy.set(name, requests);
  return sortCounts({ counts: busy, other: 0 }).slice(0, most);
}

/** Most requests first. */
export function sortCounts({ counts }: TopCounts): [name: string, requests: number][] {
  return [...counts].sort(([name, some], [other, more]) => more - some || (name < other ? -1 : 1));
}

/**
 * The program that a `User-Agent` names: its first product, such as `curl/8.5.0`. Empty if the request had none.
 *
 * @param agent as the client sent it
 */
export const programOf: (agent: string) => string = memoize((agent) => {
  const [first = ''] = cleanUserAgent(agent).trimStart().split(' ', 1);
  return first.slice(0, maxProgram).toWellFormed();
});

/** One function checks all, because a range of 400 days has 48,000: a schema for each takes half as much time again. */
const countsSchema = z.custom<[name: string, requests: number][]>(
  (value) => Array.isArray(value) && value.every(isCount),
);
const storedSchema = z.object({
  addresses: countsSchema,
  otherAddresses: z.int(),
  programs: countsSchema,
  otherPrograms: z.int(),
});

/** As text, for the database. */
export function formatClients({ addresses, programs }: ClientCounts): string {
  return JSON.stringify({
    addresses: sortCounts(addresses),
    otherAddresses: addresses.other,
    programs: sortCounts(programs),
    otherPrograms: programs.other,
  });
}

/** @returns no clients if the text is empty or was changed by hand */
export function parseClients(text: string): ClientCounts {
  const stored = storedSchema.safeParse(parseJson(text));
  if (!stored.success) return emptyClientCounts();
  const { addresses, otherAddresses, programs, otherPrograms } = stored.data;
  return {
    addresses: { counts: new Map(addresses), other: otherAddresses },
    programs: { counts: new Map(programs), other: otherPrograms },
  };
}

function isCount(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [name, requests]: unknown[] = value;
  return typeof name === 'string' && Number.isSafeInteger(requests);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
