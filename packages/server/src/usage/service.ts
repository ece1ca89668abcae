import type { Descendants } from '@soku/contract/keys';
import type { Usage } from '@soku/contract/usage';
import { hourOf, startOf } from './hours.ts';
import type { UsageReader } from './reader.ts';

/** What usage asks about keys. */
interface Keys {
  /** @throws {RequestError} not_found */
  get(workspaceId: string, id: string): Promise<unknown>;
  /** The keys that a revoke of a key would take along. */
  descendants(workspaceId: string, id: string): Promise<{ ids: readonly string[]; active: number }>;
}

/** What a key was used for, for those who may see the key. */
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
   * @param hours how many hours back, the present one included
   * @throws {RequestError} not_found, the same for a key of another workspace as for none
   */
  async get(workspaceId: string, keyId: string, hours: number): Promise<Usage> {
    await this.#keys.get(workspaceId, keyId);
    const to = hourOf(this.#now()) + 1;
    const from = to - hours;
    const { hours: counts, lastUse } = await this.#reader.usage(keyId, from, to);
    return {
      keyId,
      from: iso(startOf(from)),
      to: iso(startOf(to)),
      accepted: counts.reduce((sum, { accepted }) => sum + accepted, 0),
      refused: counts.reduce((sum, { refused }) => sum + refused, 0),
      hours: counts.map((count) => ({ ...count, hour: iso(startOf(count.hour)) })),
      lastUsed:
        lastUse === undefined
          ? null
          : { at: iso(lastUse.at), address: lastUse.address, userAgent: lastUse.agent },
    };
  }

  /**
   * The keys that a revoke of a key with its descendants would revoke beside it, and their use in the last day.
   *
   * @throws {RequestError} not_found
   */
  async ofDescendants(workspaceId: string, keyId: string): Promise<Descendants> {
    const { ids, active } = await this.#keys.descendants(workspaceId, keyId);
    const to = hourOf(this.#now()) + 1;
    const { accepted, lastAt } = await this.#reader.total(ids, to - 24, to);
    return { count: ids.length, active, accepted, lastUsedAt: lastAt === undefined ? null : iso(lastAt) };
  }
}

/** @param time epoch ms */
function iso(time: number): string {
  return new Date(time).toISOString();
}
