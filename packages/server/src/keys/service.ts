import { createHash } from 'node:crypto';
import type { ChangeKey, CreateKey, Key, KeyChange, KeyRevocation, RevokedKey } from '@soku/contract/keys';
import type { RateLimit } from '@soku/contract/rate-limits';
import type { Scope } from '@soku/contract/scopes';
import { containsKey, generateKey, hashKey, parseKey } from '@soku/key';
import type { Caller } from '../http/caller.ts';
import { RequestError } from '../http/errors.ts';
import { newId } from '../ids.ts';
import type { CommandChange, Propagation } from '../propagation/propagation.ts';
import { limitOfNewKey, rejectHigherLimit } from './allowed-limit.ts';
import { keyCreated, keysRevoked, keyUpdated } from './key-events.ts';
import { presentKey } from './present.ts';
import type { KeyStore } from './store.ts';
import { insertKey, type RevokeResult, updateKey, writeRevocation } from './writes.ts';

interface Options {
  /** Accepted prefixes. New keys get the first one. */
  prefixes: readonly [string, ...string[]];
  /** Maximum number of active keys in a workspace. */
  maxActiveKeys: number;
  /** The limit of a key if neither it nor its workspace has one: SOKU_KEY_RATE_LIMIT. */
  keyRateLimit: RateLimit;
  /** When each of the keys was last accepted, in epoch ms. Keys that were never accepted are omitted. */
  lastUsedAt: (keyIds: readonly string[]) => Promise<ReadonlyMap<string, number>>;
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
    this.#rejectKeyAsName(input.name);
    const scopes = input.scopes ?? [];
    rejectMoreScopes(caller, scopes);
    const expiresAt = chooseExpiry(caller, input.expiresAt ?? null, now);
    const [prefix] = this.#options.prefixes;
    const apiKey = generateKey({ prefix });
    const preview = parseKey(apiKey, [prefix]);
    if (preview === null) throw new Error('generateKey returned a key that parseKey rejects');
    const id = newId('key_', now);
    const token = idempotencyKey === null ? null : createHash('sha256').update(idempotencyKey).digest();
    const key = {
      id,
      workspaceId: caller.workspaceId,
      createdBy: caller.actor.id,
      createdByKey: caller.actor.kind === 'key',
      name: input.name,
      scopes,
      expiresAt,
      createdAt: now,
      hash: await hashKey(apiKey),
      preview,
    };
    const { value: created } = await this.#propagation.commit(async (db) => {
      const value = await insertKey(db, key, token, this.#options.maxActiveKeys, (creator) =>
        limitOfNewKey(creator, input.rateLimit ?? null, this.#options.keyRateLimit),
      );
      const events = value.outcome === 'created' ? [keyCreated(caller, key, value.rateLimit)] : [];
      return { value, events };
    });
    if (created.outcome === 'replayed') throw replayed(created.keyId);
    if (created.outcome === 'creator revoked') throw callerRevoked();
    if (created.outcome === 'full') throw quotaReached(this.#options.maxActiveKeys);
    return { apiKey, key: await this.get(caller.workspaceId, id) };
  }

  /** Whether any workspace has a key, in any status. */
  async hasAny(): Promise<boolean> {
    return this.#store.hasAny();
  }

  /** @throws {RequestError} not_found, including for a key of another workspace */
  async get(workspaceId: string, id: string): Promise<Key> {
    const [row, used] = await Promise.all([
      this.#store.find(workspaceId, id),
      this.#options.lastUsedAt([id]),
    ]);
    if (row === undefined) throw notFound();
    return presentKey(row, this.#options.now(), used);
  }

  /**
   * Changes the name or the limit of a key. Verification applies the change before this resolves.
   *
   * @returns the key; for a caller that may not read it, only the fields that were sent
   * @throws {RequestError} invalid_request, not_found
   */
  async change(caller: Caller, id: string, input: ChangeKey): Promise<Key | KeyChange> {
    const { name, rateLimit } = input;
    if (name !== undefined) this.#rejectKeyAsName(name);
    const byKey = caller.actor.kind === 'key' ? caller.actor.id : null;
    const ids = { workspaceId: caller.workspaceId, id, byKey };
    const { value: outcome } = await this.#propagation.commit(async (db) => {
      const result = await updateKey(db, ids, input, (callerLimits) => {
        if (rateLimit !== undefined) rejectHigherLimit(callerLimits, rateLimit, this.#options.keyRateLimit);
      });
      if (result.outcome !== 'updated') return { value: result.outcome };
      const events = keyUpdated(caller, result.before, input, this.#options.now());
      return { value: result.outcome, changed: { kind: 'keys', ids: [id] }, events };
    });
    if (outcome === 'caller revoked') throw callerRevoked();
    if (outcome === 'not found') throw notFound();
    return mayRead(caller, id) ? this.get(caller.workspaceId, id) : { id, ...input };
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
    const [{ value: result, effect }, lastUsedAt] = await Promise.all([
      this.#propagation.commit(async (db) => {
        const value = await writeRevocation(db, request);
        if (value === undefined) return { value };
        return { value, changed: changedBy(value), events: keysRevoked(caller, id, value.revoked, now) };
      }),
      // In parallel with the transaction and the wait for other nodes.
      readable ? this.#options.lastUsedAt([id]) : new Map<string, number>(),
    ]);
    if (result === undefined) throw notFound();
    const count = result.revoked.filter((one) => one.id !== id).length;
    const revocation = { effective: true, ...effect, descendants: count } as const;
    if (!readable) return { id, status: 'revoked', revocation };
    return { ...presentKey(result.key, now, lastUsedAt), revocation };
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

  /** A key that was pasted into the name field would be stored and displayed permanently. */
  #rejectKeyAsName(name: string): void {
    if (!containsKey(name, this.#options.prefixes)) return;
    throw new RequestError({
      code: 'invalid_request',
      message: 'The name contains an API key. Names are stored and displayed, so choose another one.',
      details: [{ path: 'name', problem: 'must not contain an API key' }],
    });
  }
}

/** A revoke that changes nothing is also published, because the call that revoked these keys may still be waiting. */
function changedBy({ key, revoked, journalKeyIds }: RevokeResult): CommandChange {
  return { kind: 'revoked', ids: journalKeyIds, ...(revoked.length === 0 && { republish: key.id }) };
}

/** Every key may read itself. */
function mayRead(caller: Caller, keyId: string): boolean {
  return caller.actor.id === keyId || caller.scopes.includes('keys:read');
}

function rejectMoreScopes(caller: Caller, scopes: readonly Scope[]): void {
  const missing = scopes.find((scope) => !caller.scopes.includes(scope));
  if (missing === undefined) return;
  throw new RequestError({
    code: 'insufficient_scope',
    message: `A key cannot grant scopes that it does not have, and this key does not have ${missing}.`,
    details: [{ path: 'scopes', problem: `must not include ${missing}` }],
    scope: missing,
  });
}

/** @returns epoch ms or null. Without a requested expiry, a new key gets the expiry of the key that creates it */
function chooseExpiry(caller: Caller, requested: string | null, now: number): number | null {
  if (requested === null) return Number.isFinite(caller.expiresAt) ? caller.expiresAt : null;
  const expiresAt = Date.parse(requested);
  if (expiresAt <= now) throw wrongExpiry('must be in the future');
  if (expiresAt > caller.expiresAt)
    throw wrongExpiry('must not be later than the expiration date of the calling key');
  return expiresAt;
}

function wrongExpiry(problem: string): RequestError {
  return new RequestError({
    code: 'invalid_request',
    message: `expiresAt ${problem}.`,
    details: [{ path: 'expiresAt', problem }],
  });
}

function replayed(keyId: string): RequestError {
  return new RequestError({
    code: 'idempotency_replayed',
    message:
      'A call with this Idempotency-Key already created a key, and only its response contained the full key. If that response was lost, revoke the key and create another one with a new Idempotency-Key.',
    details: [{ path: 'Idempotency-Key', problem: 'was already used to create this key', keyId }],
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
