import type { Key } from '@soku/contract/keys';
import type { RateLimit } from '@soku/contract/rate-limits';
import type { RotateKey, SecretRetirement } from '@soku/contract/rotation';
import { parseStoredEnvironment } from '../database/stored-environment.ts';
import { type Caller, callingKeyOf } from '../http/caller.ts';
import type { Propagation } from '../propagation/propagation.ts';
import { mayRead } from './caller-policy.ts';
import { hashToken } from './idempotency.ts';
import { keyRotated, secretsRetired } from './key-events.ts';
import { createSecret, type KeyPrefixes, prefixOf } from './new-secret.ts';
import { keyNotFound } from './problems.ts';
import { writeRetirement, writeRotation } from './rotation-writes.ts';
import type { KeyStore } from './store.ts';

interface Options extends KeyPrefixes {
  /** The limit of a key if neither it nor its workspace has one: SOKU_KEY_RATE_LIMIT. */
  keyRateLimit: RateLimit;
  /** Epoch ms. */
  now: () => number;
}

/** Returns keys as callers see them. */
interface Keys {
  get(workspaceId: string, id: string): Promise<Key>;
}

/** Replaces and retires the secrets of keys (docs/rotation.md). */
export class RotationService {
  readonly #keys: Keys;
  readonly #store: KeyStore;
  readonly #propagation: Propagation;
  readonly #options: Options;

  constructor(keys: Keys, store: KeyStore, propagation: Propagation, options: Options) {
    this.#keys = keys;
    this.#store = store;
    this.#propagation = propagation;
    this.#options = options;
  }

  /**
   * Gives a key a new secret. When this resolves, every verifier knows the end of the older ones: with a grace of 0, no
   * verification that starts afterwards accepts them. Only the returned value contains the full key.
   *
   * @param idempotencyKey the Idempotency-Key header; a second call with the same value does nothing
   * @throws {RequestError} the rejections of writeRotation
   */
  async rotate(
    caller: Caller,
    keyId: string,
    { graceSeconds, startGrace }: RotateKey,
    idempotencyKey: string | null,
  ): Promise<{ apiKey: string; key: Key }> {
    const { workspaceId } = caller;
    const now = this.#options.now();
    const found = await this.#store.find(workspaceId, keyId);
    if (found === undefined) throw keyNotFound();
    // The environment of a key never changes.
    const { apiKey, secret } = await createSecret(
      prefixOf(parseStoredEnvironment(found.environment), this.#options),
      now,
    );
    const rotation = {
      ...{ workspaceId, keyId, secret, startGrace, now },
      callingKey: callingKeyOf(caller),
      graceMs: graceSeconds * 1000,
      token: hashToken(idempotencyKey),
    };
    await this.#propagation.commit(async (db) => {
      const { key, retired, changed } = await writeRotation(db, rotation, this.#options.keyRateLimit);
      const details = { secretId: secret.id, graceSeconds, startGrace };
      const events = [
        keyRotated(caller, key, details, now),
        ...secretsRetired(caller, key, { secrets: retired, reason: 'rotated' }, now),
      ];
      return { value: undefined, changed, events };
    });
    return { apiKey, key: await this.#keys.get(workspaceId, keyId) };
  }

  /**
   * Retires a secret that is not the newest one. Once this resolves, no verification that starts afterwards accepts it.
   *
   * @returns the key; for a caller that may not read it, only that the secret is retired
   * @throws {RequestError} not_found, newest_secret
   */
  async retire(caller: Caller, keyId: string, secretId: string): Promise<Key | SecretRetirement> {
    const { workspaceId } = caller;
    const now = this.#options.now();
    await this.#propagation.commit(async (db) => {
      const { key, retired, changed } = await writeRetirement(db, { workspaceId, keyId, secretId, now });
      const events = secretsRetired(caller, key, { secrets: retired, reason: 'requested' }, now);
      return { value: undefined, changed, events };
    });
    if (mayRead(caller, keyId)) return this.#keys.get(workspaceId, keyId);
    return { id: keyId, secretId, secretStatus: 'retired' };
  }
}
