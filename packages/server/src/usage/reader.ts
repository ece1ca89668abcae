import type { Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { cleanUserAgent } from '../http/user-agent.ts';
import { hourStart } from './hours.ts';
import type { SecretCounts } from './pending-uses.ts';
import type { UsageRecorder } from './recorder.ts';
import {
  type HourCounts,
  type LastUse,
  readAccepted,
  readHours,
  readLastUses,
  type UsageStore,
} from './store.ts';

/** Reads usage, combining stored counts with those in memory, so that no response waits for a flush. */
export class UsageReader {
  readonly #store: UsageStore;
  readonly #recorder: UsageRecorder;

  constructor(store: UsageStore, recorder: UsageRecorder) {
    this.#store = store;
    this.#recorder = recorder;
  }

  /**
   * @param from epoch hours
   * @param to epoch hours; not included
   * @returns every hour of the range, and the last use, even outside the range
   */
  async usage(
    keyId: string,
    from: number,
    to: number,
  ): Promise<{ hours: HourCounts[]; lastUse: LastUse | undefined }> {
    const read = async (db: Kysely<Tables>) => ({
      stored: await readHours(db, keyId, from, to),
      lastUses: await readLastUses(db, [keyId]),
    });
    return this.#store.readConsistently(read, ({ stored, lastUses }) => {
      const hours = Array.from({ length: to - from }, (_, i) => ({
        hour: from + i,
        accepted: 0,
        refused: 0,
      }));
      const open = this.#recorder.of(keyId);
      for (const { hour, accepted, refused } of [...stored, ...open]) {
        const counts = hours[hour - from];
        if (counts === undefined) continue;
        counts.accepted += accepted;
        counts.refused += refused;
      }
      return { hours, lastUse: newest([...lastUses, ...usesIn(open)]) };
    });
  }

  /**
   * The combined usage of many keys.
   *
   * @param from epoch hours
   * @param to epoch hours; not included
   * @returns `lastAt` in epoch ms, undefined if none of the keys was ever used
   */
  async total(
    keyIds: readonly string[],
    from: number,
    to: number,
  ): Promise<{ accepted: number; lastAt: number | undefined }> {
    let accepted = 0;
    let lastAt: number | undefined;
    for (const ids of slicesOf(keyIds)) {
      const read = async (db: Kysely<Tables>) => ({
        stored: await readAccepted(db, ids, from, to),
        lastUses: await readLastUses(db, ids),
      });
      await this.#store.readConsistently(read, ({ stored, lastUses }) => {
        const open = ids.flatMap((id) => this.#recorder.of(id));
        accepted += stored;
        for (const use of open) if (use.hour >= from && use.hour < to) accepted += use.accepted;
        for (const { at } of [...lastUses, ...usesIn(open)]) lastAt = Math.max(at, lastAt ?? 0);
      });
    }
    return { accepted, lastAt };
  }

  /** @returns the last accepted use in epoch ms, for each of these keys that was ever used */
  async lastUsedAt(keyIds: readonly string[]): Promise<Map<string, number>> {
    if (keyIds.length === 0) return new Map();
    const read = (db: Kysely<Tables>) => readLastUses(db, keyIds);
    return this.#store.readConsistently(read, (lastUses) => {
      const last = new Map<string, number>();
      for (const { keyId, at } of [...lastUses, ...keyIds.flatMap((id) => usesIn(this.#recorder.of(id)))]) {
        last.set(keyId, Math.max(at, last.get(keyId) ?? 0));
      }
      return last;
    });
  }
}

/** Maximum number of IDs per statement. */
const slice = 1000;

function* slicesOf(ids: readonly string[]): Generator<readonly string[]> {
  for (let first = 0; first < ids.length; first += slice) yield ids.slice(first, first + slice);
}

function usesIn(open: readonly SecretCounts[]): LastUse[] {
  return open
    .filter(({ lastMs }) => lastMs >= 0)
    .map(({ keyId, hour, lastMs, address, agent }) => ({
      keyId,
      at: hourStart(hour) + lastMs,
      address,
      agent: cleanUserAgent(agent),
    }));
}

function newest(uses: readonly LastUse[]): LastUse | undefined {
  return uses.toSorted((a, b) => b.at - a.at)[0];
}
