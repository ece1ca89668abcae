import { createHash } from 'node:crypto';
import type { ChangeKey, CreateKey, Key, KeyChange, KeyRevocation, RevokedKey } from '@soku/contract/keys';
import type { RateLimit } from '@soku/contract/rate-limits';
import { containsKey, generateKey, hashKey, parseKey } from '@soku/key';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { formatStoredMetadata } from '../database/stored-metadata.ts';
import { parseStoredScopes } from '../database/stored-scopes.ts';
import type { Caller } from '../http/caller.ts';
import { RequestError } from '../http/errors.ts';
import { newId } from '../ids.ts';
import type { CommandChange, Propagation } from '../propagation/propagation.ts';
import { rejectUnknownGrants } from '../scopes/catalog.ts';
import { canonicalAddresses } from '../verification/allowed-addresses.ts';
import { invalid, policyOfNewKey, type RequestedPolicy } from './caller-policy.ts';
import { decideChange } from './change.ts';
import { chooseExpiry } from './expiry.ts';
import { keyCreated, keysRevoked, keyUpdated } from './key-events.ts';
import { containsOwnKey } from './own-key.ts';
import { presentKey, type SecretUse } from './present.ts';
import type { KeyRow, KeyStore } from './store.ts';
import {
  type ChangedKey,
  countActive,
  insertKey,
  maxLifetimeOf,
  type NewSecret,
  type RevokeResult,
  updateKey,
  writeRevocation,
} from './writes.ts';

interface Options {
  /** Accepted prefixes. New keys get the first one. */
  prefixes: readonly [string, ...string[]];
  /** Maximum number of active keys in a workspace. */
  maxActiveKeys: number;
  /** The limit of a key if neither it nor its workspace has one: SOKU_KEY_RATE_LIMIT. */
  keyRateLimit: RateLimit;
  /** Undefined: every key is live. */
  testPrefix: string | undefined;
  /** The last use of each secret of these keys that was ever accepted, by key. */
  lastUses: (keyIds: readonly string[]) => Promise<ReadonlyMap<string, readonly SecretUse[]>>;
  /** Epoch ms. */
  now: () => number;
}

/** Creates, changes and revokes keys. */
export class KeyService {
  readonly #store: KeyStore;
  readonly #propagation: Propagation;
  readonly #options: Options;

  constructor(store: KeyStore, propagation: Propagation, options: Options) {
    this.#store = store;
    this.#propagation = propagation;
    this.#options = options;
  }

  /**
   * Creates a key. Only the returned value contains the full key. The database stores its hash.
   *
   * @param idempotencyKey the Idempotency-Key header; a second call with the same value creates no second key
   * @throws {RequestError} invalid_request, insufficient_scope, idempotency_replayed, key_quota_reached
   */
  async create(
    caller: Caller,
    input: CreateKey,
    idempotencyKey: string | null,
  ): Promise<{ apiKey: string; key: Key }> {
    const now = this.#options.now();
    const { testPrefix, keyRateLimit, maxActiveKeys } = this.#options;
    const [prefix] = this.#options.prefixes;
    this.#rejectKeysInText(input);
    const environment = input.environment ?? caller.environment;
    if (environment === 'test' && testPrefix === undefined)
      throw invalid('environment', 'must be live: this deployment has no test keys (SOKU_TEST_KEY_PREFIX)');
    const id = newId('key_', now);
    const token = idempotencyKey === null ? null : createHash('sha256').update(idempotencyKey).digest();
    const { apiKey, secret } = await newSecret(environment === 'live' ? prefix : (testPrefix ?? prefix), now);
    const key = {
      id,
      workspaceId: caller.workspaceId,
      createdBy: caller.actor.id,
      createdByKey: caller.actor.kind === 'key',
      name: input.name,
      metadata: formatStoredMetadata(input.metadata ?? null),
      createdAt: now,
      secret,
    };
    const { value: created } = await this.#propagation.commit(async (db) => {
      const value = await insertKey(db, key, token, maxActiveKeys, async (creator, maxLifetime) => {
        const requested = requestedPolicy({ ...input, environment }, maxLifetime, now);
        const policy = policyOfNewKey(creator, requested, keyRateLimit);
        await rejectUnknownGrants(db, key.workspaceId, policy.scopes);
        return policy;
      });
      const events = value.outcome === 'created' ? [keyCreated(caller, key, value.policy)] : [];
      return { value, events };
    });
    if (created.outcome === 'replayed') throw replayed(created.keyId);
    if (created.outcome === 'creator revoked') throw callerRevoked();
    if (created.outcome === 'full') throw quotaReached(maxActiveKeys);
    return { apiKey, key: await this.get(caller.workspaceId, id) };
  }

  /** Whether any workspace has a key, in any status. */
  async hasAny(): Promise<boolean> {
    return this.#store.hasAny();
  }

  /** @throws {RequestError} not_found, including for a key of another workspace */
  async get(workspaceId: string, id: string): Promise<Key> {
    const [row, parts] = await Promise.all([this.#store.find(workspaceId, id), this.#partsOf(id)]);
    if (row === undefined) throw notFound();
    return presentKey({ row, ...parts }, this.#options.now());
  }

  async #partsOf(id: string) {
    const [secrets, uses] = await Promise.all([this.#store.secretsOf([id]), this.#options.lastUses([id])]);
    return { secrets: secrets.get(id) ?? [], uses: uses.get(id) ?? [] };
  }

  /**
   * Changes a key. When this resolves, verification applies the change: no verification that starts afterwards allows
   * what the change took away.
   *
   * @returns the key; for a caller that may not read it, only the fields that were sent
   * @throws {RequestError} invalid_request, insufficient_scope, session_required, not_found, key_revoked,
   *   key_quota_reached
   */
  async change(caller: Caller, id: string, input: ChangeKey): Promise<Key | KeyChange> {
    this.#rejectKeysInText(input);
    const byKey = caller.actor.kind === 'key' ? caller.actor.id : null;
    const ids = { workspaceId: caller.workspaceId, id, byKey, locksWorkspace: sharesWorkspace(input) };
    const { keyRateLimit: fallback } = this.#options;
    const now = this.#options.now();
    const { value: outcome } = await this.#propagation.commit(async (db) => {
      const result = await updateKey(db, ids, async (before, callerPolicy) => {
        const maxLifetime = await maxLifetimeOf(db, ids.workspaceId);
        const after = decideChange(before, input, { caller: callerPolicy, maxLifetime, fallback, now });
        await rejectUnknownGrants(db, ids.workspaceId, after.policy.scopes, parseStoredScopes(before.scopes));
        if (revives(before, after, now)) await this.#rejectFull(db, ids.workspaceId, now);
        return after;
      });
      if (result.outcome !== 'updated') return { value: result.outcome };
      const events = keyUpdated(caller, result.before, result.after, now);
      return { value: result.outcome, changed: { kind: 'keys', ids: [id] }, events };
    });
    if (outcome === 'caller revoked') throw callerRevoked();
    if (outcome === 'not found') throw notFound();
    if (mayRead(caller, id)) return this.get(caller.workspaceId, id);
    const { scopes, allowedAddresses, metadata, ...rest } = input;
    return {
      id,
      ...rest,
      ...(scopes !== undefined && { scopes: scopes ?? [] }),
      ...(allowedAddresses !== undefined && { allowedAddresses: allowedAddresses ?? [] }),
      ...(metadata !== undefined && { metadata: metadata ?? {} }),
    };
  }

  /** Call it with the row of the workspace locked. @throws {RequestError} key_quota_reached */
  async #rejectFull(db: Kysely<Tables>, workspaceId: string, now: number): Promise<void> {
    const { maxActiveKeys } = this.#options;
    if ((await countActive(db, workspaceId, now)) >= maxActiveKeys) throw quotaReached(maxActiveKeys);
  }

  /**
   * Revokes a key permanently. Once this resolves, no verification that starts afterwards accepts the key.
   *
   * @param descendants whether to revoke its descendants too
   * @returns the key; for a caller that may not read it, only that it is revoked
   * @throws {RequestError} not_found, too_many_descendants
   */
  async revoke(caller: Caller, id: string, descendants: boolean): Promise<RevokedKey | KeyRevocation> {
    const { actor, workspaceId } = caller;
    const now = this.#options.now();
    const request = { workspaceId, id, by: actor.id, at: now, descendants };
    const readable = mayRead(caller, id);
    const [{ value: result, effect }, parts] = await Promise.all([
      this.#propagation.commit(async (db) => {
        const value = await writeRevocation(db, request);
        if (value === undefined) return { value };
        return { value, changed: changedBy(value), events: keysRevoked(caller, id, value.revoked, now) };
      }),
      // In parallel with the transaction and the wait for other nodes.
      readable ? this.#partsOf(id) : { secrets: [], uses: [] },
    ]);
    if (result === undefined) throw notFound();
    const count = result.revoked.filter((one) => one.id !== id).length;
    const revocation = { effective: true, ...effect, descendants: count } as const;
    if (!readable) return { id, status: 'revoked', revocation };
    return { ...presentKey({ row: result.key, ...parts }, now), revocation };
  }

  /**
   * The other keys that a revoke with descendants would include.
   *
   * @throws {RequestError} not_found
   */
  async descendants(workspaceId: string, id: string): Promise<{ ids: string[]; active: number }> {
    const found = await this.#store.descendants(workspaceId, id, this.#options.now());
    if (found === undefined) throw notFound();
    return found;
  }

  /** A key that was pasted into a field would be stored and displayed permanently. */
  #rejectKeysInText({
    name,
    externalId,
    metadata,
  }: Pick<ChangeKey, 'name' | 'externalId' | 'metadata'>): void {
    const { prefixes } = this.#options;
    const found = {
      name: containsKey(name ?? '', prefixes),
      externalId: containsOwnKey(externalId ?? '', prefixes),
      metadata: containsOwnKey(JSON.stringify(metadata ?? {}), prefixes),
    };
    for (const [path, isFound] of Object.entries(found)) {
      if (!isFound) continue;
      throw new RequestError({
        code: 'invalid_request',
        message: `The field ${path} contains an API key. It is stored and displayed, so choose another value.`,
        details: [{ path, problem: 'must not contain an API key' }],
      });
    }
  }
}

/** @param maxLifetime days; null: there is no maximum. @param now epoch ms */
function requestedPolicy(input: CreateKey, maxLifetime: number | null, now: number): RequestedPolicy {
  return {
    scopes: input.scopes ?? [],
    expiresAt: chooseExpiry(input.expiresAt ?? undefined, maxLifetime, now),
    allowedAddresses: input.allowedAddresses && canonicalAddresses(input.allowedAddresses),
    environment: input.environment,
    rateLimit: input.rateLimit ?? null,
    externalId: input.externalId ?? null,
  };
}

/** @param now epoch ms */
async function newSecret(prefix: string, now: number): Promise<{ apiKey: string; secret: NewSecret }> {
  const apiKey = generateKey({ prefix });
  const preview = parseKey(apiKey, [prefix]);
  if (preview === null) throw new Error('generateKey returned a key that parseKey rejects');
  return { apiKey, secret: { id: newId('sec_', now), hash: await hashKey(apiKey), preview } };
}

/** Whether a change depends on the scope catalog of the workspace, or on its number of active keys. */
function sharesWorkspace({ scopes, expiresAt }: ChangeKey): boolean {
  return (scopes !== undefined && scopes !== null) || expiresAt !== undefined;
}

/** Whether an expired key becomes valid again, so that it counts among the active ones. */
function revives(before: KeyRow, { policy }: ChangedKey, now: number): boolean {
  const wasExpired = before.expires_at !== null && before.expires_at <= now;
  return wasExpired && (policy.expiresAt === null || policy.expiresAt > now);
}

/** A revoke that changes nothing is also published, because the call that revoked these keys may still be waiting. */
function changedBy({ key, revoked, journalKeyIds }: RevokeResult): CommandChange {
  return { kind: 'revoked', ids: journalKeyIds, ...(revoked.length === 0 && { republish: key.id }) };
}

/** Every key may read itself. */
function mayRead(caller: Caller, keyId: string): boolean {
  return caller.actor.id === keyId || caller.scopes.includes('keys:read');
}

function replayed(keyId: string | null): RequestError {
  return new RequestError({
    code: 'idempotency_replayed',
    message:
      'A call with this Idempotency-Key already created a key, and only its response contained the full key. If that response was lost, revoke the key and create another one with a new Idempotency-Key.',
    details: [{ path: 'Idempotency-Key', problem: 'was already used', ...(keyId !== null && { keyId }) }],
  });
}

function callerRevoked(): RequestError {
  return new RequestError({
    code: 'revoked_key',
    message: 'This key was revoked while it was creating or changing another key.',
  });
}

function quotaReached(max: number): RequestError {
  return new RequestError({
    code: 'key_quota_reached',
    message: `Active key limit reached: this workspace has ${max} active keys. Revoke keys that are no longer used.`,
  });
}

function notFound(): RequestError {
  return new RequestError({ code: 'not_found', message: 'No key with this id exists in this workspace.' });
}
