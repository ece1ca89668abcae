import {
  maxHourPeriods,
  maxListedClients,
  type UsageHistory,
  type UsageHistoryQuery,
} from '@soku/contract/usage-history';
import { RequestError } from '../http/errors.ts';
import { calendarDays } from './calendar-days.ts';
import { limitClients, sortCounts, type TopCounts } from './client-counts.ts';
import { sampleInterval } from './client-samples.ts';
import { dayOf, hoursPerDay } from './day-rows.ts';
import type { HistoryReader, HourOutcome } from './history-reader.ts';
import { hourOf, hourStart } from './hours.ts';

/** The range that is returned if the caller names none, in days. */
const defaultDays = 30;

/** The longest range that is returned by the hour if the caller does not decide, in days. */
const maxDaysByHour = 7;

interface Options {
  /** @throws {RequestError} not_found */
  checkKey(workspaceId: string, keyId: string): Promise<unknown>;
  /** For how many days usage is kept. */
  retentionDays: number;
  /** Epoch ms. */
  now: () => number;
}

type Period = UsageHistory['periods'][number];

/** The usage of keys and workspaces by hour or by day, as long as it is kept. */
export class UsageHistoryService {
  readonly #reader: HistoryReader;
  readonly #options: Options;

  constructor(reader: HistoryReader, options: Options) {
    this.#reader = reader;
    this.#options = options;
  }

  /** @throws {RequestError} not_found, including for a key of another workspace; invalid_request */
  async ofKey(workspaceId: string, keyId: string, query: UsageHistoryQuery): Promise<UsageHistory> {
    await this.#options.checkKey(workspaceId, keyId);
    return this.#history(query, (from, to) => this.#reader.key(keyId, from, to));
  }

  /** @throws {RequestError} invalid_request */
  ofWorkspace(workspaceId: string, query: UsageHistoryQuery): Promise<UsageHistory> {
    return this.#history(query, (from, to) => this.#reader.workspace(workspaceId, from, to));
  }

  async #history(
    query: UsageHistoryQuery,
    read: (from: number, to: number) => ReturnType<HistoryReader['key']>,
  ): Promise<UsageHistory> {
    const { retentionDays, now } = this.#options;
    const current = hourOf(now());
    const { by, starts } = startsOf(query, current, retentionDays);
    const [from = current] = starts;
    const to = current + 1;
    const { outcomes, clients } = await read(from, to);
    limitClients(clients, maxListedClients);
    const periods = toPeriods(starts, to, outcomes);
    return {
      from: iso(from),
      to: iso(to),
      retentionDays,
      ...total(periods),
      by,
      periods,
      clients: {
        from: iso(dayOf(from) * hoursPerDay),
        to: iso(dayOf(to - 1) * hoursPerDay + hoursPerDay),
        sampling: sampleInterval,
        addresses: list(clients.addresses),
        otherAddresses: clients.addresses.other,
        programs: list(clients.programs),
        otherPrograms: clients.programs.other,
      },
    };
  }
}

/** The hours in which the periods begin, oldest first. */
function startsOf(
  { hours, days, timeZone, by }: UsageHistoryQuery,
  current: number,
  retentionDays: number,
): { by: UsageHistory['by']; starts: number[] } {
  if (hours !== undefined && days !== undefined) {
    throw new RequestError({
      code: 'invalid_request',
      message: 'A range has either hours or days.',
      details: [{ path: 'hours', problem: 'cannot be combined with days' }],
    });
  }
  const oldest = current + 1 - retentionDays * hoursPerDay;
  const wanted = days === 'all' ? retentionDays : Math.min(days ?? defaultDays, retentionDays);
  // All hours are in the days of this number and one more.
  const count = hours === undefined ? wanted : Math.ceil(hours / hoursPerDay) + 1;
  const dayStarts = calendarDays(current, count, timeZone);
  const first = Math.max(hours === undefined ? (dayStarts[0] ?? current) : current + 1 - hours, oldest);
  const isShort = hours === undefined ? wanted <= maxDaysByHour : hours <= maxDaysByHour * hoursPerDay;
  const chosen = by ?? (isShort ? 'hour' : 'day');
  if (chosen === 'hour') {
    const length = current + 1 - first;
    checkLength(length);
    return { by: chosen, starts: Array.from({ length }, (_, i) => first + i) };
  }
  return { by: chosen, starts: [first, ...dayStarts.filter((start) => start > first)] };
}

/** @param hours of a range that is returned by the hour */
function checkLength(hours: number): void {
  if (hours <= maxHourPeriods) return;
  throw new RequestError({
    code: 'invalid_request',
    message: `By hour, a range has at most ${maxHourPeriods} hours.`,
    details: [{ path: 'by', problem: `the range has ${hours} hours` }],
  });
}

function toPeriods(starts: readonly number[], end: number, outcomes: readonly HourOutcome[]): Period[] {
  const periods = starts.map((start, i) => ({
    from: iso(start),
    to: iso(starts[i + 1] ?? end),
    accepted: 0,
    refused: 0,
    refusedBy: {},
  }));
  const byHour = new Map<number, Period>();
  for (const [i, period] of periods.entries()) {
    for (let hour = starts[i] ?? end; hour < (starts[i + 1] ?? end); hour++) byHour.set(hour, period);
  }
  for (const { hour, outcome, requests } of outcomes) {
    const period = byHour.get(hour);
    if (period !== undefined) add(period, outcome, requests);
  }
  return periods;
}

function add(
  period: Pick<Period, 'accepted' | 'refused' | 'refusedBy'>,
  outcome: string,
  requests: number,
): void {
  if (outcome === 'accepted') {
    period.accepted += requests;
    return;
  }
  period.refused += requests;
  period.refusedBy[outcome] = (period.refusedBy[outcome] ?? 0) + requests;
}

function total(periods: readonly Period[]): Pick<UsageHistory, 'accepted' | 'refused' | 'refusedBy'> {
  const sum = { accepted: 0, refused: 0, refusedBy: {} };
  for (const { accepted, refusedBy } of periods) {
    add(sum, 'accepted', accepted);
    for (const [code, requests] of Object.entries(refusedBy)) add(sum, code, requests);
  }
  return sum;
}

function list(top: TopCounts): { name: string; requests: number }[] {
  return sortCounts(top).map(([name, requests]) => ({ name, requests }));
}

/** @param hour epoch hours */
function iso(hour: number): string {
  return new Date(hourStart(hour)).toISOString();
}
