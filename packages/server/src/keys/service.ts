import type { ChangeKey, CreateKey } from '@soku/contract/key-requests';
import type { Key, KeyChange } from '@soku/contract/keys';
import type { RateLimit } from '@soku/contract/rate-limits';
import { containsKey } from '@soku/key';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { formatStoredMetadata } from '../database/stored-metadata.ts';
import { parseStoredScopes } from '../database/stored-scopes.ts';
import { type Caller, callingKeyOf } from '../http/caller.ts';
import { RequestError } from '../http/errors.ts';
import { keyInFieldError } from '../http/key-in-field.ts';
import { newId } from '../ids.ts';
import type { Propagation } from '../propagation/propagation.ts';
import { rejectUnknownGrants } from '../scopes/catalog.ts';
import { mayRead, policyOfNewKey } from './caller-policy.ts';
import { decideChange } from './change.ts';
import { expiryOfNewKey } from './expiry.ts';
import { hashToken } from './idempotency.ts';
import { rejectLargeIdentity } from './identity-size.ts';
import { keyCreated, keyUpdated } from './key-events.ts';
import { createSecret, type KeyPrefixes, prefixOf } from './new-secret.ts';
import { containsOwnKey } from './own-key.ts';
import { presentKey, type SecretUse, type StoredKeyParts } from './present.ts';
import { idempotencyReplayed, keyNotFound } from './problems.ts';
import type { KeyRow, KeyStore } from './store.ts';
import { type ChangedKey, countActive, expiryRulesOf, insertKey, updateKey } from './writes.ts';

interface Options extends KeyPrefixes {
  /** Maximum number of active keys in a workspace. */
  maxActiveKeys: number;
  /** The limit of a key if neither it nor its workspace has one: SOKU_KEY_RATE_LIMIT. */
  keyRateLimit: RateLimit;
  /** The last use of each secret of these keys that was ever accepted, by key. */
  lastUses: (keyIds: readonly string[]) => Promise<ReadonlyMap<string, readonly SecretUse[]>>;
  /** Resolves when all keys of a workspace are revoked, if they are being revoked. */
  finishRevoking: (workspaceId: string) => Promise<void>;
  /** Epoch ms. */
  now: () => number;
}

/** Creates, reads and changes keys. */
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
    const { keyRateLimit, maxActiveKeys } = this.#options;
    this.#rejectKeysInText(input);
    const environment = input.environment ?? caller.environment;
    const prefix = prefixOf(environment, this.#options);
    const id = newId('key_', now);
    const token = hashToken(idempotencyKey);
    const { apiKey, secret } = await createSecret(prefix, now);
    const key = {
      id,
      workspaceId: caller.workspaceId,
      createdBy: caller.actor.id,
      callingKey: callingKeyOf(caller),
      name: input.name,
      metadata: formatStoredMetadata(input.metadata ?? null),
      createdAt: now,
      secret,
    };
    const { value: created } = await this.#propagation.commit(async (db) => {
      const value = await insertKey(db, key, token, maxActiveKeys, async (creator, rules) => {
        const inherited = creator?.expiresAt ?? null;
        const expiresAt = expiryOfNewKey(input.expiresAt, { inherited, rules, now });
        const requested = { ...requestedPolicy(input), environment, expiresAt };
        const policy = policyOfNewKey(creator, requested, keyRateLimit);
        rejectLargeIdentity({ name: key.name, ...policy }, input);
        await rejectUnknownGrants(db, key.workspaceId, policy.scopes);
        return policy;
      });
      const events = value.outcome === 'created' ? [keyCreated(caller, key, value.policy)] : [];
      return { value, events };
    });
    if (created.outcome === 'being revoked') {
      await this.#options.finishRevoking(caller.workspaceId);
      return this.create(caller, input, idempotencyKey);
    }
    if (created.outcome === 'replayed') throw idempotencyReplayed(created.keyId, 'create');
    if (created.outcome === 'full') throw quotaReached(maxActiveKeys);
    return { apiKey, key: await this.get(caller.workspaceId, id) };
  }

  /** Whether any workspace has a key, in any status. */
  async hasAny(): Promise<boolean> {
    return this.#store.hasAny();
  }

  /** @throws {RequestError} not_found, including for a key of another workspace */
  async get(workspaceId: string, id: string): Promise<Key> {
    const [row, parts] = await Promise.all([this.#store.find(workspaceId, id), this.partsOf(id)]);
    if (row === undefined) throw keyNotFound();
    return presentKey({ row, ...parts }, this.#options.now());
  }

  /**
   * The listed secrets of a key, newest first; hashes as 32 latin-1 characters.
   *
   * @throws {RequestError} not_found
   */
  async secrets(workspaceId: string, id: string): Promise<{ id: string; hash: string }[]> {
    const [row, secrets] = await Promise.all([
      this.#store.find(workspaceId, id),
      this.#store.secretsOf([id]),
    ]);
    if (row === undefined) throw keyNotFound();
    const found = secrets.get(id) ?? [];
    return found.map((secret) => ({ id: secret.id, hash: Buffer.from(secret.hash).toString('latin1') }));
  }

  /** The secrets of a key and their last uses. Call it with an id that was checked. */
  async partsOf(id: string): Promise<Pick<StoredKeyParts, 'secrets' | 'uses'>> {
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
    const locksWorkspace = sharesWorkspace(input);
    const { workspaceId } = caller;
    const { keyRateLimit: fallback } = this.#options;
    const now = this.#options.now();
    const request = { workspaceId, id, callingKey: callingKeyOf(caller), locksWorkspace, now };
    await this.#propagation.commit(async (db) => {
      const result = await updateKey(db, request, async (before, callerPolicy) => {
        const rules = await expiryRulesOf(db, workspaceId);
        const after = decideChange(before, input, { caller: callerPolicy, rules, fallback, now });
        await rejectUnknownGrants(db, workspaceId, after.policy.scopes, parseStoredScopes(before.scopes));
        if (revives(before, after, now)) await this.#rejectFull(db, workspaceId, now);
        return after;
      });
      if (result === undefined) throw keyNotFound();
      const events = keyUpdated(caller, result.before, result.after, now);
      return { value: undefined, changed: { kind: 'keys', ids: [id] }, events };
    });
    if (mayRead(caller, id)) return this.get(workspaceId, id);
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
   * The other keys that a revoke with descendants would include.
   *
   * @throws {RequestError} not_found
   */
  async descendants(workspaceId: string, id: string): Promise<{ ids: string[]; active: number }> {
    const found = await this.#store.descendants(workspaceId, id, this.#options.now());
    if (found === undefined) throw keyNotFound();
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
    for (const [path, isFound] of Object.entries(found)) if (isFound) throw keyInFieldError(path, 'value');
  }
}

function requestedPolicy({ scopes = [], allowedAddresses, rateLimit = null, externalId = null }: CreateKey) {
  return { scopes, allowedAddresses: allowedAddresses?.join(' '), rateLimit, externalId };
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

function quotaReached(max: number): RequestError {
  return new RequestError({
    code: 'key_quota_reached',
    message: `Active key limit reached: this workspace has ${max} active keys. Revoke keys that are no longer used.`,
  });
}
