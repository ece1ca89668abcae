import { hash as digest } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { explainKey, parseKey } from '@soku/key';
import type { Refusal } from '../http/errors.ts';
import { longestAgent, shorten } from '../http/user-agent.ts';
import type { AddressLimits } from '../limits/address-limits.ts';
import type { KeyLimits, KeyWindow } from '../limits/key-limits.ts';
import type { SharedLimits } from '../limits/shared-limits.ts';
import { type LimitState, take } from '../limits/sliding-window.ts';
import { hourOf, startOf } from '../usage/hours.ts';
import type { SecretUsage, UsageRecorder } from '../usage/recorder.ts';
import { longestKey, readCredentials, usualToken } from './credentials.ts';
import { judge } from './judge.ts';
import type { BadSecret, GoodSecret, SecretMemory } from './memory.ts';
import { guesses, rateLimited, unknown, verificationUnavailable } from './refusals.ts';
import { type RequestFields, readFields } from './request-fields.ts';
import type { CacheLease, Read, SecretSource } from './secret-source.ts';
import type { Ask, Use, Verdict, VerdictOrPromise } from './verdict.ts';
import type { VerificationCounts } from './verification-counts.ts';

interface Options {
  /** Where secrets are read that are not remembered. */
  secrets: SecretSource;
  /** Whether what is remembered may be answered from. */
  lease: CacheLease;
  /** What is remembered. Others make it forget. */
  memory: SecretMemory;
  /** Accepted key prefixes, the one of new keys first. */
  prefixes: readonly string[];
  keyLimits: KeyLimits;
  /** What counts in place of this process alone, when there are several. */
  sharedLimits?: SharedLimits | undefined;
  addressLimits: AddressLimits;
  usage: Pick<UsageRecorder, 'open'>;
  counts: VerificationCounts;
  /** Epoch ms. */
  now?: () => number;
  /** Told when the database did not answer; the key is then refused. */
  failed: (error: unknown) => void;
}

/**
 * Answers whether the key of a request is good. One straight line: parse, look up, decide, limit, record. Nothing is
 * awaited between the look whether memory may be trusted, the look into it, and the decision, so a revocation cannot
 * fall between them.
 */
export class Verifier {
  readonly #options: Options;
  readonly #now: () => number;
  readonly #memory: SecretMemory;
  readonly #lease: CacheLease;

  constructor(options: Options) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#memory = options.memory;
    this.#lease = options.lease;
  }

  /** Answers for a request by its header. */
  verify(request: IncomingMessage, ask: Ask): VerdictOrPromise {
    return this.verifyFields(readFields(request.rawHeaders), request, ask);
  }

  /** The same, when the fields were read already. */
  verifyFields(fields: RequestFields, request: IncomingMessage, ask: Ask): VerdictOrPromise {
    const { counts } = this.#options;
    if (!counts.isSample()) return this.#verifyFields(fields, request, ask);
    const start = performance.now();
    const verdict = this.#verifyFields(fields, request, ask);
    counts.took(performance.now() - start);
    return verdict;
  }

  #verifyFields(fields: RequestFields, request: IncomingMessage, ask: Ask): VerdictOrPromise {
    const token = usualToken(fields);
    const hash = token === undefined ? undefined : hashOf(token);
    const { userAgent } = fields;
    const now = this.#now();
    const good = hash === undefined ? undefined : this.#findGood(hash, now);
    if (good !== undefined) return this.#decideCached(good, ask, userAgent, now);
    const { targets = ownTarget } = ask;
    const credentials = readCredentials(fields, request, targets, this.#options.prefixes);
    if ('code' in credentials) return this.#refuseStranger(credentials, ask, now);
    // With a hash it is the same token, and it is not among the good ones.
    if (hash !== undefined) return this.#verifyUncached(credentials.token, hash, ask, userAgent, now);
    return this.verifyKey(credentials.token, ask, userAgent);
  }

  /**
   * Answers for a key. No other text has the same hash, so a hit needs no look at how the key is written.
   *
   * @param token what was sent as the key
   * @param userAgent of the program that uses it
   */
  verifyKey(token: string, use: Use = {}, userAgent = ''): VerdictOrPromise {
    const hash = token.length > longestKey ? undefined : hashOf(token);
    const now = this.#now();
    const good = hash === undefined ? undefined : this.#findGood(hash, now);
    if (good !== undefined) return this.#decideCached(good, use, userAgent, now);
    return this.#verifyUncached(token, hash, use, userAgent, now);
  }

  /** @param hash undefined when the token is too long for a key */
  #verifyUncached(
    token: string,
    hash: string | undefined,
    use: Use,
    userAgent: string,
    now: number,
  ): VerdictOrPromise {
    if (hash === undefined || parseKey(token, this.#options.prefixes) === null) {
      return this.#refuseStranger(this.#explain(token), use, now);
    }
    const { lookUps } = this.#options.counts;
    const bad = this.#memory.bad(hash);
    if (bad !== undefined) {
      lookUps.refused += 1;
      return this.#refuseBad(bad, use, now);
    }
    lookUps.database += 1;
    return this.#load(hash, use, userAgent);
  }

  /** A good secret that is remembered, when memory may be trusted. @param now epoch ms */
  #findGood(hash: string, now: number): GoodSecret | undefined {
    const secret = this.#memory.good(hash);
    return secret !== undefined && this.#lease.holds(now) ? secret : undefined;
  }

  #decideCached(secret: GoodSecret, use: Use, userAgent: string, now: number): VerdictOrPromise {
    if (use.recorded !== false) this.#options.counts.lookUps.good += 1;
    return this.#decide(secret, use, userAgent, now);
  }

  /** @param settled what the database said of the limit, when it was asked; the request is then counted */
  #decide(
    secret: GoodSecret,
    use: Use,
    userAgent: string,
    now: number,
    settled?: LimitState,
  ): VerdictOrPromise {
    if (isForeign(secret, use)) return this.#refuseStranger(unknown, use, now);
    const fault = judge(secret, use, now);
    if (fault !== undefined) return this.#refuseKnown(secret, fault, use, now);
    const limit = use.limited === false ? null : (settled ?? this.#take(secret, now));
    if (limit === undefined) return this.#ask(secret, use, userAgent);
    if (limit?.passed === false) {
      this.#options.counts.limited.key += 1;
      return { ...this.#refuseKnown(secret, rateLimited(limit), use, now), limit };
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

  /** Counts a request against the key's limit; null when it has none, undefined when the database must be asked. */
  #take(secret: GoodSecret, now: number): LimitState | null | undefined {
    const { keyId, rateLimit } = secret;
    if (rateLimit === null) return null;
    const { sharedLimits } = this.#options;
    const window = this.#windowOf(secret);
    if (sharedLimits === undefined) return take(window, 'key', rateLimit, now);
    return sharedLimits.take(window, keyId, rateLimit, now);
  }

  #windowOf(secret: GoodSecret): KeyWindow {
    if (secret.window === undefined || secret.window.dropped) {
      secret.window = this.#options.keyLimits.windowOf(secret.keyId);
    }
    return secret.window;
  }

  /** Waits for the database's word about the limit. The key may be another afterwards, so it is looked up again. */
  #ask(secret: GoodSecret, use: Use, userAgent: string): VerdictOrPromise {
    const { keyId, rateLimit, hash } = secret;
    const asked = this.#options.sharedLimits?.ask(this.#windowOf(secret), keyId, rateLimit ?? 0);
    return Promise.resolve(asked).then((settled) => {
      if (settled === undefined) return this.#refuse(verificationUnavailable, use);
      const now = this.#now();
      const good = this.#findGood(hash, now);
      if (good !== undefined) return this.#decide(good, use, userAgent, now, settled);
      this.#options.counts.lookUps.database += 1;
      return this.#load(hash, use, userAgent, settled);
    });
  }

  /** Reads what is not remembered, or may not be trusted. @param settled as for `#decide` */
  #load(hash: string, use: Use, userAgent: string, settled?: LimitState): VerdictOrPromise {
    const failed = (error: unknown): Verdict => {
      this.#options.failed(error);
      return this.#refuse(verificationUnavailable, use);
    };
    const decide = (read: Read) => this.#decideRead(hash, read, use, userAgent, settled);
    try {
      const read = this.#options.secrets.read(hash);
      return read instanceof Promise ? read.then(decide).catch(failed) : decide(read);
    } catch (error) {
      return failed(error);
    }
  }

  /** Remembers and decides in one turn: a value read before a revocation can never be remembered after it. */
  #decideRead(
    hash: string,
    { stored, mayKeep }: Read,
    use: Use,
    userAgent: string,
    settled: LimitState | undefined,
  ): VerdictOrPromise {
    const now = this.#now();
    const keep = mayKeep();
    if (stored !== undefined && 'key' in stored) {
      const secret = this.#memory.rememberGood(hash, stored.key, keep);
      return this.#decide(secret, use, userAgent, now, settled);
    }
    const refusal = stored === undefined ? unknown : stored.refusal;
    return this.#refuseBad(this.#memory.rememberBad(hash, refusal, stored, keep), use, now);
  }

  #refuseBad(secret: BadSecret, use: Use, now: number): Verdict {
    if (secret.keyId === undefined) return this.#refuseStranger(secret.refusal, use, now);
    if (isForeign(secret, use)) return this.#refuseStranger(unknown, use, now);
    if (use.recorded !== false) this.#usageOf(secret, secret.keyId, now).refused += 1;
    return this.#refuse(secret.refusal, use);
  }

  /** Refuses a key whose secret is right. The holder sees such refusals on the key's page. */
  #refuseKnown(secret: GoodSecret, refusal: Refusal, use: Use, now: number): { refusal: Refusal } {
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

  #refuse(refusal: Refusal, use: Use): { refusal: Refusal } {
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

/** Whether a secret belongs to a workspace whose keys whoever asks does not see: for it there is no such key. */
function isForeign(secret: { workspaceId: string | undefined }, { workspaceId }: Use): boolean {
  return workspaceId !== undefined && secret.workspaceId !== workspaceId;
}

function ownTarget(request: IncomingMessage): readonly string[] {
  return [request.url ?? '/'];
}

/** SHA-256 as 32 latin-1 characters, which a Map finds faster than it would 64 of hexadecimal. */
function hashOf(token: string): string {
  return digest('sha256', token, 'binary');
}
