import { z } from 'zod';
import { cleanUserAgent } from '../http/user-agent.ts';

/** Maximum number of addresses, and of programs, that are counted by name for a key and day. */
export const maxClients = 20;

/** Maximum length of a program, in UTF-16 units. */
const maxProgram = 64;

/** Requests by name: those with the most requests, and all others together. */
export interface TopCounts {
  counts: Map<string, number>;
  other: number;
}

/** Accepted requests by IP address and by program. Both have the same sum. */
export interface ClientCounts {
  addresses: TopCounts;
  programs: TopCounts;
}

export function noClients(): ClientCounts {
  return { addresses: { counts: new Map(), other: 0 }, programs: { counts: new Map(), other: 0 } };
}

/** Adds requests of one name. Call `limit` afterwards. */
export function addCount(top: TopCounts, name: string, requests: number): void {
  if (requests > 0) top.counts.set(name, (top.counts.get(name) ?? 0) + requests);
}

/**
 * Keeps the names with the most requests and adds the requests of all others to `other`, so that the sum stays. If
 * requests are equal, the order of the names decides, so that every node keeps the same ones.
 */
function limit(top: TopCounts): void {
  if (top.counts.size <= maxClients) return;
  const sorted = sortCounts(top);
  for (const [name, requests] of sorted.slice(maxClients)) {
    top.counts.delete(name);
    top.other += requests;
  }
}

/** Most requests first. */
export function sortCounts({ counts }: TopCounts): [name: string, requests: number][] {
  return [...counts].sort(([name, some], [other, more]) => more - some || (name < other ? -1 : 1));
}

/** Adds the counts of `more` to `sum`. */
export function addClients(sum: ClientCounts, more: ClientCounts): void {
  addTop(sum.addresses, more.addresses);
  addTop(sum.programs, more.programs);
}

function addTop(sum: TopCounts, { counts, other }: TopCounts): void {
  for (const [name, requests] of counts) addCount(sum, name, requests);
  sum.other += other;
  limit(sum);
}

/**
 * The program that a `User-Agent` names: its first product, such as `curl/8.5.0`. Empty if the request had none.
 *
 * @param agent as the client sent it
 */
export function programOf(agent: string): string {
  const [first = ''] = cleanUserAgent(agent).trimStart().split(' ', 1);
  return first.slice(0, maxProgram).toWellFormed();
}

const countsSchema = z.array(z.tuple([z.string(), z.int()]));
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
  if (!stored.success) return noClients();
  const { addresses, otherAddresses, programs, otherPrograms } = stored.data;
  return {
    addresses: { counts: new Map(addresses), other: otherAddresses },
    programs: { counts: new Map(programs), other: otherPrograms },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
