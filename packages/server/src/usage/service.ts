import type { RecentUsage } from '@soku/contract/keys';
import type { Descendants } from '@soku/contract/revocations';
import type { Usage } from '@soku/contract/usage';
import { hourOf, hourStart } from './hours.ts';
import type { LastUse } from './queries.ts';
import type { UsageReader } from './reader.ts';

/** The range that lists and dialogs show. */
const recentHours = 24;

/** What usage needs from keys. */
interface Keys {
  /**
   * @returns the listed secrets, newest first; hashes as 32 latin-1 characters
   * @throws {RequestError} not_found
   */
  secrets(workspaceId: string, id: string): Promise<readonly { id: string; hash: string }[]>;
  /** The keys that a revoke with descendants would also revoke. */
  descendants(workspaceId: string, id: string): Promise<{ ids: readonly string[]; active: number }>;
}

/** The usage of a key, for callers that may read the key. */
export class UsageService {
  readonly #keys: Keys;
  readonly #reader: UsageReader;
  readonly #now: () => number;

  /** @param now epoch ms */
  constructor(keys: Keys, reader: UsageReader, now: () => number) {
    this.#keys = keys;
    this.#reader = reader;
    this.#now = now;
  }

  /**
   * @param hours number of hours, including the current one
   * @throws {RequestError} not_found, including for a key of another workspace
   */
  async get(workspaceId: string, keyId: string, hours: number): Promise<Usage> {
    const secrets = await this.#keys.secrets(workspaceId, keyId);
    const to = hourOf(this.#now()) + 1;
    const from = to - hours;
    const usage = await this.#reader.usage(workspaceId, keyId, from, to);
    const { hours: counts, refusedBy, acceptedBy, lastUse, lastUseBy } = usage;
    return {
      keyId,
      from: iso(hourStart(from)),
      to: iso(hourStart(to)),
      accepted: counts.reduce((sum, { accepted }) => sum + accepted, 0),
      refused: counts.reduce((sum, { refused }) => sum + refused, 0),
      refusedBy: { ...refusedBy },
      secrets: secrets.map(({ id, hash }) => ({
        id,
        accepted: acceptedBy.get(hash) ?? 0,
        lastUsed: presentUse(lastUseBy.get(hash)),
      })),
      hours: counts.map((count) => ({ ...count, hour: iso(hourStart(count.hour)) })),
      lastUsed: presentUse(lastUse),
    };
  }

  /**
   * The descendants of a key that a revoke would include, and their usage in the last 24 hours.
   *
   * @throws {RequestError} not_found
   */
  async getForDescendants(workspaceId: string, keyId: string): Promise<Descendants> {
    const { ids, active } = await this.#keys.descendants(workspaceId, keyId);
    const to = hourOf(this.#now()) + 1;
    const { accepted, lastAt } = await this.#reader.total(ids, to - recentHours, to);
    return { count: ids.length, active, accepted, lastUsedAt: lastAt === undefined ? null : iso(lastAt) };
  }

  /** The requests with each of these keys in the last 24 hours. */
  recent(keyIds: readonly string[]): Promise<Map<string, RecentUsage>> {
    const to = hourOf(this.#now()) + 1;
    return this.#reader.counts(keyIds, to - recentHours, to);
  }
}

function presentUse(use: LastUse | undefined): Usage['lastUsed'] {
  return use === undefined ? null : { at: iso(use.at), address: use.address, userAgent: use.agent };
}

/** @param time epoch ms */
function iso(time: number): string {
  return new Date(time).toISOString();
}
