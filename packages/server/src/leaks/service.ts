import { createHash } from 'node:crypto';
import type { Actor } from '@soku/contract/audit';
import { msPerDay } from '@soku/contract/instant';
import type { GithubFeedback, GithubReport } from '@soku/contract/leaks';
import type { Kysely } from 'kysely';
import { chunk } from '../chunk.ts';
import type { Tables } from '../database/schema.ts';
import { type Origin, systemActor } from '../events/actor.ts';
import type { NewEvent } from '../events/events.ts';
import { firstIdAt } from '../ids.ts';
import { endSecret } from '../keys/end-secret.ts';
import { findOwnSecret } from '../keys/revoke-writes.ts';
import type { Propagation } from '../propagation/propagation.ts';
import { leakLocation } from './place.ts';

/** Hashes per statement, and keys whose commands run at the same time. */
const batch = { hashes: 500, keys: 8 };

/** A secret of this deployment in a report. */
interface LeakedSecret {
  hash: Uint8Array;
  keyId: string;
  workspaceId: string;
  /** Whether the workspace revokes leaked keys. */
  revoke: boolean;
  /** Its matches in the report. */
  matches: GithubReport;
}

/**
 * Handles reports of leaked keys. Keys are found by the hashes of the tokens. The tokens themselves are used only to
 * keep them out of the stored URLs, and are never stored or logged.
 */
export class LeakService {
  readonly #db: Kysely<Tables>;
  readonly #propagation: Propagation;
  readonly #now: () => number;

  /** @param now epoch ms */
  constructor(db: Kysely<Tables>, propagation: Propagation, now: () => number) {
    this.#db = db;
    this.#propagation = propagation;
    this.#now = now;
  }

  /**
   * Records the leak of each known key, and revokes the keys of workspaces with that policy. When this resolves, no
   * server accepts a secret that it retired or revoked. A repeated call is harmless.
   *
   * @param origin of the call
   * @throws the error of the first key whose command failed, after all others are done
   * @returns which tokens are keys of this deployment, in the order of the report, and the number of keys
   */
  async report(report: GithubReport, origin: Origin): Promise<{ feedback: GithubFeedback; keys: number }> {
    const byHash = Map.groupBy(report, ({ token }) => createHash('sha256').update(token).digest('hex'));
    const leaked = await this.#find(byHash);
    const tokens = [...new Set(report.map(({ token }) => token))];
    const failures: unknown[] = [];
    for (const group of chunk(leaked, batch.keys)) {
      // One key whose command fails, such as for a deadlock, does not keep the others valid.
      const results = await Promise.allSettled(group.map((one) => this.#handle(one, tokens, origin)));
      failures.push(...results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : [])));
    }
    if (failures.length > 0) throw failures[0];
    const known = new Set(leaked.map(({ hash }) => Buffer.from(hash).toString('hex')));
    const hashes = new Map([...byHash].flatMap(([hash, matches]) => matches.map((match) => [match, hash])));
    const feedback = report.map((match) => {
      const hash = hashes.get(match) ?? '';
      const label = known.has(hash) ? ('true_positive' as const) : ('false_positive' as const);
      return { token_hash: hash, token_type: match.type, label };
    });
    return { feedback, keys: new Set(leaked.map(({ keyId }) => keyId)).size };
  }

  async #find(byHash: ReadonlyMap<string, GithubReport>): Promise<LeakedSecret[]> {
    const found: LeakedSecret[] = [];
    for (const hashes of chunk([...byHash.keys()], batch.hashes)) {
      const rows = await this.#db
        .selectFrom('api_key_secret as s')
        .innerJoin('api_key as k', 'k.id', 's.key_id')
        .innerJoin('workspace as w', 'w.id', 'k.workspace_id')
        .select(['s.hash', 'k.id as keyId', 'k.workspace_id as workspaceId', 'w.revoke_leaked'])
        .where(
          's.hash',
          'in',
          hashes.map((hash) => Buffer.from(hash, 'hex')),
        )
        .execute();
      for (const { revoke_leaked, ...row } of rows) {
        const matches = byHash.get(Buffer.from(row.hash).toString('hex')) ?? [];
        found.push({ ...row, revoke: revoke_leaked === 1, matches });
      }
    }
    return found;
  }

  async #handle(secret: LeakedSecret, tokens: readonly string[], origin: Origin): Promise<void> {
    const { keyId, workspaceId, hash, revoke } = secret;
    const now = this.#now();
    const actor = { ...systemActor, ...origin };
    await this.#propagation.commit(async (db) => {
      // This locks the key, so that concurrent reports of a secret record only one event a day.
      const found = await findOwnSecret(db, workspaceId, keyId, hash);
      if (found === undefined) return { value: undefined };
      const { id: secretId, key } = found;
      const report = () => {
        const place = leakLocation(secret.matches[0], tokens);
        return leakReported(secret, { actor, place, secretId, name: key.name, now });
      };
      const events = (await wasReported(db, secret, { secretId, now })) ? [] : [report()];
      if (!revoke) return { value: undefined, events };
      const ended = await endSecret(db, found, { actor, workspaceId, reason: 'leaked', now });
      return { value: undefined, changed: ended.changed, events: [...events, ...(ended.events ?? [])] };
    });
  }
}

/**
 * Whether a leak of the secret was recorded on this day (UTC), so that one that leaked in many places does not fill the
 * log. Another secret of the same key is recorded as well, because it may still be accepted when this one is not.
 */
async function wasReported(
  db: Kysely<Tables>,
  { keyId, workspaceId }: LeakedSecret,
  { secretId, now }: { secretId: string; now: number },
): Promise<boolean> {
  const event = await db
    .selectFrom('audit_event')
    .select('id')
    .where('target_id', '=', keyId)
    .where('id', '>=', firstIdAt('evt_', now - (now % msPerDay)))
    .where('chain', '=', workspaceId)
    .where('action', '=', 'key.leak_reported')
    // Quotes inside a value are escaped, so only the field matches.
    .where('details', 'like', `%"secretId":"${secretId}"%`)
    .limit(1)
    .executeTakeFirst();
  return event !== undefined;
}

interface Found {
  actor: Actor;
  place: ReturnType<typeof leakLocation>;
  secretId: string;
  name: string;
  /** Epoch ms. */
  now: number;
}

function leakReported(
  { keyId, workspaceId, matches }: LeakedSecret,
  { actor, place, secretId, name, now }: Found,
): NewEvent {
  return {
    chain: workspaceId,
    at: now,
    actor,
    action: 'key.leak_reported',
    target: { kind: 'key', id: keyId, name },
    details: { ...place, places: matches.length, secretId },
  };
}
