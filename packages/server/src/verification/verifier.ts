import { hash as digest } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { explainKey, parseKey } from '@soku/key';
import { z } from 'zod';
import type { Refusal } from '../http/errors.ts';
import type { Scope } from '../keys/schemas.ts';
import { readScopes } from '../keys/stored-scopes.ts';
import { readCredentials } from './credentials.ts';
import { SecretCache } from './secret-cache.ts';

/** A key that is good right now. */
export interface VerifiedKey {
  keyId: string;
  workspaceId: string;
  name: string;
  scopes: readonly Scope[];
  /** Epoch ms; Infinity is never. */
  expiresAt: number;
}

export type Verdict = { key: VerifiedKey; refusal?: never } | { key?: never; refusal: Refusal };

/** The row that a hash leads to, as SQLite gives it. */
const rowSchema = z.object({
  id: z.string(),
  workspace_id: z.string(),
  name: z.string(),
  scopes: z.string(),
  expires_at: z.number().nullable(),
  revoked_at: z.number().nullable(),
  dead: z.number(),
});

/** dead_hash has the last word, whatever the key's own row says. */
const lookUpByHash = `
  SELECT k.id, k.workspace_id, k.name, k.scopes, k.expires_at, k.revoked_at,
         EXISTS (SELECT 1 FROM dead_hash d WHERE d.hash = s.hash) AS dead
  FROM api_key_secret s JOIN api_key k ON k.id = s.key_id
  WHERE s.hash = ?`;

interface Options {
  /** A connection that sees only what is committed. */
  reader: DatabaseSync;
  /** Accepted key prefixes, the one of new keys first. */
  prefixes: readonly string[];
  /** How many secrets to keep in memory. */
  cacheKeys: number;
  /** Epoch ms. */
  now?: () => number;
  /** Told when the database did not answer; the key is then refused. */
  failed: (error: unknown) => void;
}

/**
 * Answers whether the key of a request is good. One straight, synchronous line: nothing is awaited between the
 * look into the cache and the decision, so a revocation cannot fall between them.
 */
export class Verifier {
  readonly #prefixes: readonly string[];
  readonly #now: () => number;
  readonly #failed: (error: unknown) => void;
  /** SHA-256 of the key, as 32 latin-1 characters, to what is known of it. Holds only keys that are not revoked. */
  readonly #cache: SecretCache<VerifiedKey>;
  readonly #lookUp: StatementSync;

  constructor({ reader, prefixes, cacheKeys, now = Date.now, failed }: Options) {
    this.#prefixes = prefixes;
    this.#now = now;
    this.#failed = failed;
    this.#cache = new SecretCache(cacheKeys);
    this.#lookUp = reader.prepare(lookUpByHash);
  }

  /**
   * @param request its headers
   * @param target path and query of the request that the key was meant for (for forward-auth, the original one)
   */
  verify(request: IncomingMessage, target: string): Verdict {
    const credentials = readCredentials(request, target, this.#prefixes);
    if ('code' in credentials) return { refusal: credentials };
    return this.verifyKey(credentials.token);
  }

  /** @param token what was sent as the key */
  verifyKey(token: string): Verdict {
    if (parseKey(token, this.#prefixes) === null) return { refusal: this.#explain(token) };
    const hash = digest('sha256', token, 'binary');
    const cached = this.#cache.get(hash);
    const verdict = cached === undefined ? this.#load(hash) : { key: cached };
    if (verdict.key !== undefined && verdict.key.expiresAt <= this.#now()) {
      return { refusal: expired(verdict.key.expiresAt) };
    }
    return verdict;
  }

  /**
   * Forgets secrets, so that their next use reads the database. Whoever commits a change of a key calls this in
   * the same synchronous turn.
   */
  forget(hashes: Iterable<Uint8Array>): void {
    for (const hash of hashes) this.#cache.delete(Buffer.from(hash).toString('latin1'));
  }

  /** Reads and caches in one turn: a value read before a revocation can never be cached after it. */
  #load(hash: string): Verdict {
    try {
      const found = this.#lookUp.get(Buffer.from(hash, 'latin1'));
      if (found === undefined) return { refusal: unknown };
      const row = rowSchema.parse(found);
      if (row.revoked_at !== null || row.dead !== 0) return { refusal: revoked(row.revoked_at) };
      const key = toKey(row);
      this.#cache.set(hash, key);
      return { key };
    } catch (error) {
      this.#failed(error);
      return { refusal: unavailable };
    }
  }

  #explain(token: string): Refusal {
    return (
      explainKey(token, this.#prefixes) ?? {
        code: 'malformed_key',
        message: 'This is not a key of this service.',
      }
    );
  }
}

function toKey(row: z.infer<typeof rowSchema>): VerifiedKey {
  return {
    keyId: row.id,
    workspaceId: row.workspace_id,
    name: row.name,
    scopes: readScopes(row.scopes),
    expiresAt: row.expires_at ?? Number.POSITIVE_INFINITY,
  };
}

const unavailable: Refusal = {
  code: 'verification_unavailable',
  message: 'The key could not be checked, because the database did not answer. Try again in a moment.',
};

const unknown: Refusal = {
  code: 'unknown_key',
  message:
    'This key is well formed, but not known here. Is it from another deployment, or was its account deleted?',
};

function revoked(at: number | null): Refusal {
  const when = at === null ? '' : ` at ${new Date(at).toISOString()}`;
  return { code: 'revoked_key', message: `This key was revoked${when}. Make a new one and use that.` };
}

function expired(at: number): Refusal {
  return {
    code: 'expired_key',
    message: `This key expired at ${new Date(at).toISOString()}. Make a new one.`,
  };
}
