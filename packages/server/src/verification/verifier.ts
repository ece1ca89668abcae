import { hash as digest } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { DatabaseSync } from 'node:sqlite';
import { explainKey, parseKey } from '@soku/key';
import type { Refusal } from '../http/errors.ts';
import type { RateLimit } from '../keys/schemas.ts';
import type { AddressLimits } from '../limits/address-limits.ts';
import type { KeyLimits, KeyWindow } from '../limits/key-limits.ts';
import { type LimitState, take } from '../limits/sliding-window.ts';
import type { VerificationCounts } from '../metrics/verification-counts.ts';
import { hourOf, startOf } from '../usage/hours.ts';
import type { SecretUsage, UsageRecorder } from '../usage/recorder.ts';
import { longestAgent, shorten } from '../usage/user-agent.ts';
import { longestKey, readCredentials, usualToken } from './credentials.ts';
import { SecretReader, type VerifiedKey } from './known-secret.ts';
import { expired, guesses, lacksScope, rateLimited, revoked, unavailable, unknown } from './refusals.ts';
import { type RequestFields, readFields } from './request-fields.ts';
import { type Cached, SecretCache } from './secret-cache.ts';
import type { Ask, Use, Verdict } from './verdict.ts';

/**
 * What is remembered of a secret that is good, or was when it was read. It is one object with the key in it: with a
 * million of them in memory nearly every object that a verification touches has to be fetched from afar.
 */
interface GoodSecret extends VerifiedKey, Cached {
  hash: string;
  /** Whether it ever does. Spares most keys a look at the time, which V8 keeps in an object of its own. */
  expires: boolean;
  workspace: WorkspaceMark;
  window: KeyWindow | undefined;
  usage: SecretUsage | undefined;
}

/** Shared by all secrets of a workspace, so that all are out of date at once, however many there are. */
interface WorkspaceMark {
  outOfDate: boolean;
}

/** What is remembered of a secret that is none. Neither kind ever becomes good: see the cache. */
interface BadSecret extends Cached {
  refusal: Refusal;
  /** Of a revoked key; undefined when no key has this hash. */
  keyId: string | undefined;
  hash: string;
  usage: SecretUsage | undefined;
}

interface Options {
  /** A connection that sees only what is committed. */
  reader: DatabaseSync;
  /** Accepted key prefixes, the one of new keys first. */
  prefixes: readonly string[];
  /** How many good secrets to keep in memory. */
  cacheKeys: number;
  /** How many unknown and revoked ones. */
  cacheRefusedKeys: number;
  /** Of keys without a limit of their own, in workspaces without one. */
  keyRateLimit: RateLimit;
  keyLimits: KeyLimits;
  addressLimits: AddressLimits;
  usage: Pick<UsageRecorder, 'open'>;
  counts: VerificationCounts;
  /** Epoch ms. */
  now?: () => number;
  /** Told when the database did not answer; the key is then refused. */
  failed: (error: unknown) => void;
}

/**
 * Answers whether the key of a request is good. One straight, synchronous line: parse, look up, decide, limit,
 * record. Nothing is awaited between the look into the cache and the decision, so a revocation cannot fall
 * between them.
 */
export class Verifier {
  readonly #options: Options;
  readonly #now: () => number;
  readonly #secrets: SecretReader;
  /** SHA-256 of the key, as 32 latin-1 characters, to what is known of it. Holds only keys that are not revoked. */
  readonly #good: SecretCache<GoodSecret>;
  /**
   * Hashes of no key and of revoked keys, bounded apart so that guessing evicts nobody. A revoked key stays so, and
   * a hash without a key stays so, because a new key is random and was sent by nobody before it was made.
   */
  readonly #bad: SecretCache<BadSecret>;
  /** By workspace id, of the secrets that are up to date. */
  readonly #workspaces = new Map<string, WorkspaceMark>();

  constructor(options: Options) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#secrets = new SecretReader(options.reader, options.keyRateLimit);
    this.#good = new SecretCache(options.cacheKeys);
    this.#bad = new SecretCache(options.cacheRefusedKeys);
  }

  /** Secrets in memory. */
  get cached(): { good: number; refused: number } {
    return { good: this.#good.size, refused: this.#bad.size };
  }

  /** Answers for a request by its header. */
  verify(request: IncomingMessage, ask: Ask): Verdict {
    return this.verifyFields(readFields(request.rawHeaders), request, ask);
  }

  /** The same, when the fields were read already. */
  verifyFields(fields: RequestFields, request: IncomingMessage, ask: Ask): Verdict {
    const { counts } = this.#options;
    if (!counts.isSample()) return this.#verifyFields(fields, request, ask);
    const start = performance.now();
    const verdict = this.#verifyFields(fields, request, ask);
    counts.took(performance.now() - start);
    return verdict;
  }

  #verifyFields(fields: RequestFields, request: IncomingMessage, ask: Ask): Verdict {
    const token = usualToken(fields);
    const hash = token === undefined ? undefined : hashOf(token);
    const { userAgent } = fields;
    const good = hash === undefined ? undefined : this.#findGood(hash);
    if (good !== undefined) return this.#decideCached(good, ask, userAgent);
    const { target = ownTarget } = ask;
    const credentials = readCredentials(fields, request, target, this.#options.prefixes);
    if ('code' in credentials) return this.#refuseStranger(credentials, ask, this.#now());
    // With a hash it is the same token, and it is not among the good ones.
    if (hash !== undefined) return this.#verifyUncached(credentials.token, hash, ask, userAgent);
    return this.verifyKey(credentials.token, ask, userAgent);
  }

  /**
   * Answers for a key. No other text has the same hash, so a hit needs no look at how the key is written.
   *
   * @param token what was sent as the key
   * @param userAgent of the program that uses it
   */
  verifyKey(token: string, use: Use = {}, userAgent = ''): Verdict {
    const hash = token.length > longestKey ? undefined : hashOf(token);
    const good = hash === undefined ? undefined : this.#findGood(hash);
    if (good !== undefined) return this.#decideCached(good, use, userAgent);
    return this.#verifyUncached(token, hash, use, userAgent);
  }

  /** @param hash undefined when the token is too long for a key */
  #verifyUncached(token: string, hash: string | undefined, use: Use, userAgent: string): Verdict {
    const now = this.#now();
    if (hash === undefined || parseKey(token, this.#options.prefixes) === null) {
      return this.#refuseStranger(this.#explain(token), use, now);
    }
    const { lookUps } = this.#options.counts;
    const bad = this.#bad.get(hash);
    if (bad !== undefined) {
      lookUps.refused += 1;
      return this.#refuseBad(bad, use, now);
    }
    lookUps.database += 1;
    return this.#load(hash, use, userAgent, now);
  }

  /**
   * Forgets secrets, so that their next use reads the database. Whoever commits a change of a key calls this in
   * the same synchronous turn.
   */
  forget(hashes: Iterable<Uint8Array>): void {
    for (const hash of hashes) {
      const key = Buffer.from(hash).toString('latin1');
      this.#good.delete(key);
      this.#bad.delete(key);
    }
  }

  /** Forgets all secrets of a workspace, whose settings have changed, in the turn of the commit. */
  forgetWorkspace(workspaceId: string): void {
    const mark = this.#workspaces.get(workspaceId);
    if (mark !== undefined) mark.outOfDate = true;
    this.#workspaces.delete(workspaceId);
  }

  #findGood(hash: string): GoodSecret | undefined {
    const secret = this.#good.get(hash);
    return secret === undefined || secret.workspace.outOfDate ? undefined : secret;
  }

  #markOf(workspaceId: string): WorkspaceMark {
    const known = this.#workspaces.get(workspaceId);
    if (known !== undefined) return known;
    const mark = { outOfDate: false };
    this.#workspaces.set(workspaceId, mark);
    return mark;
  }

  #decideCached(secret: GoodSecret, use: Use, userAgent: string): Verdict {
    if (use.recorded !== false) this.#options.counts.lookUps.good += 1;
    return this.#decide(secret, use, userAgent, this.#now());
  }

  #decide(secret: GoodSecret, use: Use, userAgent: string, now: number): Verdict {
    if (secret.expires && secret.expiresAt <= now)
      return this.#refuseKnown(secret, expired(secret.expiresAt), use, now);
    if (use.needs !== undefined) {
      const missing = use.needs.find((scope) => !secret.scopes.includes(scope));
      if (missing !== undefined) return this.#refuseKnown(secret, lacksScope(missing), use, now);
    }
    const limit = use.limited === false ? null : this.#take(secret, now);
    if (limit?.passed === false) {
      this.#options.counts.limited.key += 1;
      return this.#refuseKnown(secret, rateLimited(limit), use, now);
    }
    if (use.recorded !== false) {
      const usage = this.#usageOf(secret, secret.keyId, now);
      usage.accepted += 1;
      usage.lastMs = now - startOf(usage.hour);
      usage.address = use.address ?? '';
      usage.agent = userAgent.length > longestAgent ? shorten(userAgent) : userAgent;
      this.#options.counts.valid += 1;
    }
    return { key: secret, limit };
  }

  /** Counts a request against the key's limit; null when it has none. */
  #take(secret: GoodSecret, now: number): LimitState | null {
    const { keyId, rateLimit } = secret;
    if (rateLimit === null) return null;
    if (secret.window === undefined || secret.window.dropped) {
      secret.window = this.#options.keyLimits.windowOf(keyId);
    }
    return take(secret.window, 'key', rateLimit, now);
  }

  /** Reads and caches in one turn: a value read before a revocation can never be cached after it. */
  #load(hash: string, use: Use, userAgent: string, now: number): Verdict {
    try {
      const stored = this.#secrets.read(hash);
      if (stored !== undefined && 'key' in stored) {
        const workspace = this.#markOf(stored.key.workspaceId);
        const { key } = stored;
        const secret = {
          ...key,
          hash,
          workspace,
          expires: Number.isFinite(key.expiresAt),
          window: undefined,
          usage: undefined,
          used: false,
        };
        this.#good.set(hash, secret);
        return this.#decide(secret, use, userAgent, now);
      }
      const bad = {
        refusal: stored === undefined ? unknown : revoked(stored.revokedAt),
        keyId: stored?.keyId,
        hash,
        usage: undefined,
        used: false,
      };
      this.#bad.set(hash, bad);
      return this.#refuseBad(bad, use, now);
    } catch (error) {
      this.#options.failed(error);
      return this.#refuse(unavailable, use);
    }
  }

  #refuseBad(secret: BadSecret, use: Use, now: number): Verdict {
    if (secret.keyId === undefined) return this.#refuseStranger(secret.refusal, use, now);
    if (use.recorded !== false) this.#usageOf(secret, secret.keyId, now).refused += 1;
    return this.#refuse(secret.refusal, use);
  }

  /** Refuses a key whose secret is right. The holder sees such refusals on the key's page. */
  #refuseKnown(secret: GoodSecret, refusal: Refusal, use: Use, now: number): Verdict {
    if (use.recorded !== false) this.#usageOf(secret, secret.keyId, now).refused += 1;
    return this.#refuse(refusal, use);
  }

  /** Refuses credentials that are no key of ours: too many of them from one address are told to slow down. */
  #refuseStranger(refusal: Refusal, use: Use, now: number): Verdict {
    if (use.address === undefined || use.recorded === false || !guesses.has(refusal.code)) {
      return this.#refuse(refusal, use);
    }
    const limit = this.#options.addressLimits.take(use.address, now);
    if (limit === null || limit.passed) return this.#refuse(refusal, use);
    this.#options.counts.limited.address += 1;
    return this.#refuse(rateLimited(limit), use);
  }

  #refuse(refusal: Refusal, use: Use): Verdict {
    if (use.recorded !== false) this.#options.counts.refuse(refusal.code);
    return { refusal };
  }

  /** The counters of a secret in the current hour. */
  #usageOf(secret: GoodSecret | BadSecret, keyId: string, now: number): SecretUsage {
    const { usage } = secret;
    if (usage !== undefined && !usage.closed && usage.hour === hourOf(now)) return usage;
    secret.usage = this.#options.usage.open(keyId, secret.hash, now);
    return secret.usage;
  }

  #explain(token: string): Refusal {
    return (
      explainKey(token, this.#options.prefixes) ?? {
        code: 'malformed_key',
        message: 'This is not a key of this service.',
      }
    );
  }
}

function ownTarget(request: IncomingMessage): string {
  return request.url ?? '/';
}

/** SHA-256 as 32 latin-1 characters, which a Map finds faster than it would 64 of hexadecimal. */
function hashOf(token: string): string {
  return digest('sha256', token, 'binary');
}
