import type { Kysely } from 'kysely';
import { chunk } from '../chunk.ts';
import type { Tables } from '../database/schema.ts';
import { cleanUserAgent } from '../http/user-agent.ts';
import { hourStart } from './hours.ts';
import type { SecretCounts } from './pending-uses.ts';
import {
  type HourCounts,
  type LastUse,
  readCounts,
  readCountsInRange,
  readHours,
  readLastUses,
  readRejectedKeys,
  readRejections,
  readTotals,
} from './queries.ts';
import type { UsageRecorder } from './recorder.ts';
import { addRejections, noRejections, type Rejections } from './rejection-counts.ts';
import type { UsageStore } from './store.ts';

/** Accepted and rejected requests. */
interface Counts {
  accepted: number;
  refused: number;
}

/** Accepted requests, and rejected ones by code. */
export interface Outcomes {
  accepted: number;
  refusedBy: Rejections;
}

/**
 * Reads usage, combining stored counts with those in memory, so that no response waits for a flush. Ranges of hours are
 * in epoch hours, without `to`.
 */
export class UsageReader {
  readonly #store: UsageStore;
  readonly #recorder: UsageRecorder;

  constructor(store: UsageStore, recorder: UsageRecorder) {
    this.#store = store;
    this.#recorder = recorder;
  }

  /**
   * @returns every hour of the range, its rejections by code, and its accepted requests by the hash of the secret. Also
   *   the last use of the key and of each secret, even outside the range
   */
  async usage(
    workspaceId: string,
    keyId: string,
    from: number,
    to: number,
  ): Promise<{
    hours: HourCounts[];
    refusedBy: Rejections;
    acceptedBy: ReadonlyMap<string, number>;
    lastUse: LastUse | undefined;
    lastUseBy: ReadonlyMap<string, LastUse>;
  }> {
    const read = async (db: Kysely<Tables>) => ({
      stored: await readHours(db, keyId, from, to),
      rejections: await readRejections(db, workspaceId, [keyId], from, to),
      lastUses: await readLastUses(db, [keyId]),
    });
    return this.#store.readConsistently(read, ({ stored, rejections, lastUses }) => {
      const hours = Array.from({ length: to - from }, (_, i) => ({
        hour: from + i,
        accepted: 0,
        refused: 0,
      }));
      const open = this.#recorder.of(keyId);
      const acceptedBy = new Map<string, number>();
      for (const { hash, hour, accepted, refused } of [...stored, ...open]) {
        const counts = hours[hour - from];
        if (counts === undefined) continue;
        counts.accepted += accepted;
        counts.refused += refused;
        acceptedBy.set(hash, (acceptedBy.get(hash) ?? 0) + accepted);
      }
      const refusedBy = [
        ...rejections.map(({ code, requests }) => ({ [code]: requests })),
        ...this.#openOf([keyId], from, to).map((counts) => counts.refusedBy),
      ].reduce(addRejections, noRejections);
      const uses = [...lastUses, ...usesIn(open)];
      return { hours, refusedBy, acceptedBy, lastUse: newest(uses), lastUseBy: bySecret(uses) };
    });
  }

  /**
   * The combined usage of many keys.
   *
   * @returns `lastAt` in epoch ms, undefined if none of the keys was ever used
   */
  async total(
    keyIds: readonly string[],
    from: number,
    to: number,
  ): Promise<{ accepted: number; lastAt: number | undefined }> {
    let accepted = 0;
    let lastAt: number | undefined;
    for (const ids of chunk(keyIds, maxPerStatement)) {
      for (const counts of (await this.counts(ids, from, to)).values()) accepted += counts.accepted;
      for (const { at } of [...(await this.lastUses(ids)).values()].flat())
        lastAt = Math.max(at, lastAt ?? 0);
    }
    return { accepted, lastAt };
  }

  /** @returns the counts of each of these keys, including keys that were not used in this range */
  async counts(keyIds: readonly string[], from: number, to: number): Promise<Map<string, Counts>> {
    if (keyIds.length === 0) return new Map();
    const read = (db: Kysely<Tables>) => readCounts(db, keyIds, from, to);
    return this.#store.readConsistently(read, (stored) => {
      const counts = new Map(keyIds.map((id) => [id, { accepted: 0, refused: 0 }]));
      for (const { keyId, accepted, refused } of [...stored, ...this.#openOf(keyIds, from, to)]) {
        const sum = counts.get(keyId);
        if (sum === undefined) continue;
        sum.accepted += accepted;
        sum.refused += refused;
      }
      return counts;
    });
  }

  /**
   * The accepted requests of each of these keys.
   *
   * @param keyIds in order
   */
  async acceptedOf(keyIds: readonly string[], from: number, to: number): Promise<Map<string, number>> {
    if (keyIds.length === 0) return new Map();
    const read = (db: Kysely<Tables>) => readCountsInRange(db, keyIds, from, to);
    return this.#store.readConsistently(read, (stored) => {
      const counts = new Map(keyIds.map((id) => [id, 0]));
      for (const { keyId, accepted } of [...stored, ...this.#openOf(keyIds, from, to)]) {
        const sum = counts.get(keyId);
        if (sum !== undefined) counts.set(keyId, sum + accepted);
      }
      return counts;
    });
  }

  /** Like `counts`, with the rejections by code. */
  async outcomes(
    workspaceId: string,
    keyIds: readonly string[],
    from: number,
    to: number,
  ): Promise<Map<string, Outcomes>> {
    if (keyIds.length === 0) return new Map();
    const read = async (db: Kysely<Tables>) => ({
      counts: await readCounts(db, keyIds, from, to),
      rejections: await readRejections(db, workspaceId, keyIds, from, to),
    });
    return this.#store.readConsistently(read, ({ counts, rejections }) => {
      const outcomes = new Map<string, Outcomes>(
        keyIds.map((id) => [id, { accepted: 0, refusedBy: noRejections }]),
      );
      const add = (keyId: string, accepted: number, refusedBy: Rejections) =>
        addOutcomes(outcomes.get(keyId), accepted, refusedBy);
      for (const { keyId, accepted } of counts) add(keyId, accepted, noRejections);
      for (const { keyId, code, requests } of rejections) add(keyId, 0, { [code]: requests });
      for (const open of this.#openOf(keyIds, from, to)) add(open.keyId, open.accepted, open.refusedBy);
      return outcomes;
    });
  }

  /** @returns every hour of the range, oldest first */
  async workspace(workspaceId: string, from: number, to: number): Promise<(Outcomes & { hour: number })[]> {
    const read = (db: Kysely<Tables>) => readTotals(db, workspaceId, from, to);
    return this.#store.readConsistently(read, (stored) => {
      const hours = Array.from({ length: to - from }, (_, i) => ({
        hour: from + i,
        accepted: 0,
        refusedBy: noRejections,
      }));
      const add = (hour: number, accepted: number, refusedBy: Rejections) =>
        addOutcomes(hours[hour - from], accepted, refusedBy);
      for (const { hour, outcome, requests } of stored) {
        if (outcome === 'accepted') add(hour, requests, noRejections);
        else add(hour, 0, { [outcome]: requests });
      }
      for (const open of this.#recorder.ofWorkspace(workspaceId)) {
        add(open.hour, open.accepted, open.refusedBy);
      }
      return hours;
    });
  }

  /** The stored rejected requests of the keys of a workspace in one hour, in the order of their ids. */
  async rejectedKeys(
    workspaceId: string,
    hour: number,
    page: { after: string; limit: number },
  ): Promise<{ keyId: string; requests: number }[]> {
    const read = (db: Kysely<Tables>) => readRejectedKeys(db, workspaceId, hour, page);
    return this.#store.readConsistently(read, (stored) => stored);
  }

  /** The rejected requests in memory, by key. */
  openRejections(workspaceId: string, from: number, to: number): Map<string, number> {
    const refused = new Map<string, number>();
    for (const { keyId, hour, refused: count } of this.#recorder.ofWorkspace(workspaceId)) {
      if (count > 0 && hour >= from && hour < to) refused.set(keyId, (refused.get(keyId) ?? 0) + count);
    }
    return refused;
  }

  /** @returns the last accepted use of each secret of these keys that was ever used, by key */
  async lastUses(keyIds: readonly string[]): Promise<Map<string, LastUse[]>> {
    if (keyIds.length === 0) return new Map();
    const read = (db: Kysely<Tables>) => readLastUses(db, keyIds);
    return this.#store.readConsistently(read, (stored) => {
      const uses = [...stored, ...keyIds.flatMap((id) => usesIn(this.#recorder.of(id)))];
      const ofKeys = Map.groupBy(uses, ({ keyId }) => keyId);
      return new Map([...ofKeys].map(([keyId, ofKey]) => [keyId, [...bySecret(ofKey).values()]]));
    });
  }

  /**
   * When the key was last accepted, in epoch ms, as far as this is not written yet. It reads only memory, so the result
   * holds in the turn of the call.
   */
  lastOpenUse(keyId: string): number | undefined {
    return newest(usesIn(this.#recorder.of(keyId)))?.at;
  }

  /** The counts of some keys in memory. */
  #openOf(keyIds: readonly string[], from: number, to: number): SecretCounts[] {
    const open = keyIds.flatMap((id) => this.#recorder.of(id));
    return open.filter(({ hour }) => hour >= from && hour < to);
  }
}

/** Maximum number of IDs per statement. */
const maxPerStatement = 1000;

function usesIn(open: readonly SecretCounts[]): LastUse[] {
  return open
    .filter(({ lastMs }) => lastMs >= 0)
    .map(({ keyId, hash, hour, lastMs, address, agent }) => ({
      keyId,
      hash,
      at: hourStart(hour) + lastMs,
      address,
      agent: cleanUserAgent(agent),
    }));
}

function bySecret(uses: readonly LastUse[]): Map<string, LastUse> {
  const newestBy = new Map<string, LastUse>();
  for (const use of uses) {
    if (use.at >= (newestBy.get(use.hash)?.at ?? 0)) newestBy.set(use.hash, use);
  }
  return newestBy;
}

function newest(uses: readonly LastUse[]): LastUse | undefined {
  return uses.toSorted((a, b) => b.at - a.at)[0];
}

/** @param sum undefined if these requests are outside of what is read */
function addOutcomes(sum: Outcomes | undefined, accepted: number, refusedBy: Rejections): void {
  if (sum === undefined) return;
  sum.accepted += accepted;
  sum.refusedBy = addRejections(sum.refusedBy, refusedBy);
}
