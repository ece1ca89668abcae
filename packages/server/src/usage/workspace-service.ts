import { msPerDay } from '@soku/contract/instant';
import type { Key } from '@soku/contract/keys';
import {
  maxDayLengthMs,
  maxRankedKeys,
  type RankedKey,
  type UsageDay,
  type WorkspaceUsage,
} from '@soku/contract/usage';
import { RequestError } from '../http/errors.ts';
import { hourOf, hourStart } from './hours.ts';
import { KeyRanking } from './ranking.ts';
import type { Outcomes, UsageReader } from './reader.ts';
import { addRejections, countRejections, noRejections } from './rejection-counts.ts';

/** What the usage of a workspace needs from keys. */
interface Keys {
  /** The keys with these ids that belong to the workspace. */
  find: (workspaceId: string, ids: readonly string[]) => Promise<Key[]>;
  usedSince: ConstructorParameters<typeof KeyRanking>[1];
}

interface Options {
  /** Writes the last uses of a workspace to the database. */
  writeLastUses: (workspaceId: string) => Promise<void>;
  /** Epoch ms. */
  now: () => number;
}

const hoursPerDay = 24;

/** The requests of a workspace, for the overview. */
export class WorkspaceUsageService {
  readonly #find: Keys['find'];
  readonly #reader: UsageReader;
  readonly #ranking: KeyRanking;
  readonly #options: Options;

  constructor(keys: Keys, reader: UsageReader, options: Options) {
    this.#find = keys.find;
    this.#reader = reader;
    // Keys with nearly the same number of requests may be in the wrong order until the next ranking.
    this.#ranking = new KeyRanking(reader, keys.usedSince, 2 * maxRankedKeys);
    this.#options = options;
  }

  /**
   * @param dayStart when today began; undefined: midnight UTC
   * @throws {RequestError} invalid_request
   */
  async get(workspaceId: string, dayStart: string | undefined): Promise<WorkspaceUsage> {
    const now = this.#options.now();
    const today = hourOf(startOfDay(dayStart, now));
    const yesterday = today - hoursPerDay;
    const end = hourOf(now) + 1;
    await this.#options.writeLastUses(workspaceId);
    const hours = await this.#reader.workspace(workspaceId, yesterday, end);
    return {
      today: toDay(hours.slice(hoursPerDay)),
      yesterday: toDay(hours.slice(0, hoursPerDay)),
      ...(await this.#rank(workspaceId, end - hoursPerDay, end)),
    };
  }

  async #rank(
    workspaceId: string,
    from: number,
    to: number,
  ): Promise<Pick<WorkspaceUsage, 'busiest' | 'mostRefused'>> {
    const { busiest, mostRefused } = await this.#ranking.of(workspaceId, from, to);
    const ids = [...new Set([...busiest, ...mostRefused])];
    const [found, outcomes] = await Promise.all([
      this.#find(workspaceId, ids),
      this.#reader.outcomes(workspaceId, ids, from, to),
    ]);
    const keys = found.map((key) => toRanked(key, outcomes.get(key.id)));
    const top = (by: 'accepted' | 'refused') =>
      keys
        .filter((key) => key[by] > 0)
        .sort((a, b) => b[by] - a[by] || (a.key.id < b.key.id ? -1 : 1))
        .slice(0, maxRankedKeys);
    return { busiest: top('accepted'), mostRefused: top('refused') };
  }
}

/** @returns epoch ms */
function startOfDay(requested: string | undefined, now: number): number {
  if (requested === undefined) return now - (now % msPerDay);
  const start = Date.parse(requested);
  if (start <= now && now - start < maxDayLengthMs) return start;
  throw new RequestError({
    code: 'invalid_request',
    message: 'dayStart must be less than 25 hours ago, and not in the future.',
    details: [{ path: 'dayStart', problem: 'must be less than 25 hours ago, and not in the future' }],
  });
}

function toDay(hours: readonly (Outcomes & { hour: number })[]): UsageDay {
  const [first, last] = [hours.at(0)?.hour ?? 0, hours.at(-1)?.hour ?? 0];
  return {
    from: iso(first),
    to: iso(last + 1),
    ...toTotal({
      accepted: hours.reduce((sum, { accepted }) => sum + accepted, 0),
      refusedBy: hours.reduce((sum, { refusedBy }) => addRejections(sum, refusedBy), noRejections),
    }),
    hours: hours.map((outcomes) => ({ hour: iso(outcomes.hour), ...toTotal(outcomes) })),
  };
}

function toRanked({ id, name, preview, status }: Key, outcomes: Outcomes | undefined): RankedKey {
  return {
    key: { id, name, preview, status },
    ...toTotal(outcomes ?? { accepted: 0, refusedBy: noRejections }),
  };
}

function toTotal({ accepted, refusedBy }: Outcomes) {
  return { accepted, refused: countRejections(refusedBy), refusedBy: { ...refusedBy } };
}

/** @param hour epoch hours */
function iso(hour: number): string {
  return new Date(hourStart(hour)).toISOString();
}
