import type { IncomingMessage } from 'node:http';
import { explainKey, parseKey } from '@soku/key';
import type { ApiProblem } from '../http/errors.ts';
import type { AddressLimits } from '../limits/address-limits.ts';
import type { Grants } from '../limits/grants.ts';
import { type LimitState, take } from '../limits/sliding-window.ts';
import { longestKey, readCredentials, usualToken } from './credentials.ts';
import { hashOf } from './hash-words.ts';
import { judge } from './judge.ts';
import { type KeyTable, none } from './key-table.ts';
import type { KeyWindows } from './key-windows.ts';
import {
  guessCodes,
  rateLimited,
  retiredSecret,
  revokedKey,
  unknownKey,
  verificationUnavailable,
} from './rejections.ts';
import type { RequestFields } from './request-fields.ts';
import {
  type AcceptKey,
  type MaybePromise,
  NeedsGrant,
  type Rejected,
  type VerifyOptions,
  type VerifyRequestOptions,
} from './result.ts';
import type { SecretCache } from './secret-cache.ts';
import type { CacheLease, Read, SecretSource } from './secret-source.ts';
import type { VerificationCounts } from './verification-counts.ts';

interface Options {
  /** Where secrets that are not cached are read. */
  secrets: SecretSource;
  /** Whether cached secrets may be used. */
  lease: CacheLease;
<<<<<<< 553f3d2e8d2ac735c3bdd3ed9c46cb974e89b773
  /** What is remembered. Others make it forget. */
  memory: SecretCache;
=======
  /** The cache. Other components evict from it. */
  memory: SecretMemory;
>>>>>>> 589cbf51e780b025d5652db8b4e5067173dc75fc
  /** Accepted key prefixes, the one of new keys first. */
  prefixes: readonly string[];
  /** Counts against limits if several processes share them. */
  grants?: Pick<Grants, 'take'> | undefined;
  addressLimits: AddressLimits;
  counts: VerificationCounts;
  /** Epoch ms. */
  now?: () => number;
  /** Called if the database does not respond; the key is then rejected. */
  failed: (error: unknown) => void;
}

<<<<<<< 553f3d2e8d2ac735c3bdd3ed9c46cb974e89b773
/** What comes of a verification: what was made of an accepted key, or why there is nothing. */
export type Decided<T> = T | Rejected | NeedsGrant;

/** One verification: what is asked, and what is made of the answer. */
export interface KeyVerification<T> {
  use: VerifyOptions;
=======
/** The outcome of a verification: the converted key, or why there is none. */
export type Decided<T> = T | Refused | NeedsGrant;

/** One verification: its options, and the conversion of an accepted key. */
export interface Question<T> {
  use: Use;
>>>>>>> 589cbf51e780b025d5652db8b4e5067173dc75fc
  userAgent: string;
  accept: AcceptKey<T>;
}

/**
 * Verifies the key of a request: parse, look up, decide, limit, record. Nothing is awaited between the lease check, the
 * cache lookup and the decision, so a revocation cannot come between them.
 */
export class Verifier {
  readonly #options: Options;
  readonly #now: () => number;
  readonly #valid: KeyTable;
  readonly #rejected: KeyTable;
  readonly #windows: KeyWindows;
  readonly #lease: CacheLease;

  constructor(options: Options) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#valid = options.memory.good;
    this.#rejected = options.memory.refused;
    this.#windows = options.memory.windows;
    this.#lease = options.lease;
  }

  /** Verifies a request by its header fields. @param accept called if the key is accepted */
  verifyFields<T>(
    fields: RequestFields,
    request: IncomingMessage,
    ask: VerifyRequestOptions,
    accept: AcceptKey<T>,
  ): MaybePromise<Decided<T>> {
    const { counts } = this.#options;
    const verification = { use: ask, userAgent: fields.userAgent, accept };
    if (!counts.isSample()) return this.#verifyFields(fields, request, ask, verification);
    const start = performance.now();
    const decided = this.#verifyFields(fields, request, ask, verification);
    counts.took(performance.now() - start);
    return decided;
  }

  #verifyFields<T>(
    fields: RequestFields,
    request: IncomingMessage,
<<<<<<< 553f3d2e8d2ac735c3bdd3ed9c46cb974e89b773
    ask: VerifyRequestOptions,
    question: KeyVerification<T>,
=======
    ask: Ask,
    verification: Question<T>,
>>>>>>> 589cbf51e780b025d5652db8b4e5067173dc75fc
  ): MaybePromise<Decided<T>> {
    const token = usualToken(fields);
    const hash = token === undefined ? undefined : hashOf(token);
    const now = this.#now();
    const row = hash === undefined ? none : this.#findGood(hash, now);
    if (row !== none) return this.#decideCached(row, verification, now);
    const { targets = ownTarget } = ask;
    const credentials = readCredentials(fields, request, targets, this.#options.prefixes);
    if ('code' in credentials) return this.#rejectInvalid(credentials, ask, now);
    // With a hash, it is the same token, and it is not in the cache of valid keys.
    if (hash !== undefined) return this.#verifyUncached(credentials.token, hash, verification, now);
    return this.verifyToken(credentials.token, verification);
  }

  /**
   * Verifies a key. No other text has the same hash, so a cached key needs no format check.
   *
   * @param token the text sent as the key
   */
<<<<<<< 553f3d2e8d2ac735c3bdd3ed9c46cb974e89b773
  verifyToken<T>(token: string, question: KeyVerification<T>): MaybePromise<Decided<T>> {
=======
  verifyToken<T>(token: string, verification: Question<T>): MaybePromise<Decided<T>> {
>>>>>>> 589cbf51e780b025d5652db8b4e5067173dc75fc
    const hash = token.length > longestKey ? undefined : hashOf(token);
    const now = this.#now();
    const row = hash === undefined ? none : this.#findGood(hash, now);
    if (row !== none) return this.#decideCached(row, verification, now);
    return this.#verifyUncached(token, hash, verification, now);
  }

  /** @param hash undefined if the token is too long for a key */
  #verifyUncached<T>(
    token: string,
    hash: string | undefined,
<<<<<<< 553f3d2e8d2ac735c3bdd3ed9c46cb974e89b773
    question: KeyVerification<T>,
=======
    verification: Question<T>,
>>>>>>> 589cbf51e780b025d5652db8b4e5067173dc75fc
    now: number,
  ): MaybePromise<Decided<T>> {
    if (hash === undefined || parseKey(token, this.#options.prefixes) === null) {
      return this.#rejectInvalid(this.#explain(token), verification.use, now);
    }
    const { lookUps } = this.#options.counts;
    const row = this.#rejected.find(hash);
    if (row !== none) {
      lookUps.refused += 1;
      return this.#rejectEnded(row, verification.use, now);
    }
    lookUps.database += 1;
    return this.#load(hash, verification);
  }

  /** Finds a cached valid secret, if the lease is held. @param now epoch ms */
  #findGood(hash: string, now: number): number {
    const row = this.#valid.find(hash);
    return row !== none && this.#lease.holds(now) ? row : none;
  }

<<<<<<< 553f3d2e8d2ac735c3bdd3ed9c46cb974e89b773
  #decideCached<T>(row: number, question: KeyVerification<T>, now: number): Decided<T> {
    const decided = this.#decide(row, question, now);
    if (question.use.recorded !== false && !(decided instanceof NeedsGrant)) {
=======
  #decideCached<T>(row: number, verification: Question<T>, now: number): Decided<T> {
    const decided = this.#decide(row, verification, now);
    if (verification.use.recorded !== false && !(decided instanceof NeedsGrant)) {
>>>>>>> 589cbf51e780b025d5652db8b4e5067173dc75fc
      this.#options.counts.lookUps.good += 1;
    }
    return decided;
  }

<<<<<<< 553f3d2e8d2ac735c3bdd3ed9c46cb974e89b773
  #decide<T>(row: number, question: KeyVerification<T>, now: number): Decided<T> {
    const good = this.#good;
    const { use, userAgent, accept } = question;
    if (isForeign(good.workspaceId(row), use)) return this.#refuseStranger(unknownKey, use, now);
    if (use.needs !== undefined || use.denied !== undefined || good.mayHaveEnded(row, now)) {
      const fault = judge(good.read(row), use, now);
      if (fault !== undefined) return this.#refuseKnown(row, fault, use, now);
=======
  #decide<T>(row: number, verification: Question<T>, now: number): Decided<T> {
    const valid = this.#valid;
    const { use, userAgent, accept } = verification;
    if (isForeign(valid.workspaceId(row), use)) return this.#rejectInvalid(unknown, use, now);
    if (use.needs !== undefined || use.denied !== undefined || valid.mayHaveEnded(row, now)) {
      const fault = judge(valid.read(row), use, now);
      if (fault !== undefined) return this.#rejectKnown(row, fault, use, now);
>>>>>>> 589cbf51e780b025d5652db8b4e5067173dc75fc
    }
    const limit = use.limited === false ? null : this.#take(row, now);
    if (limit === undefined) return new NeedsGrant(valid.keyId(row), valid.limit(row));
    if (limit?.passed === false) {
      this.#options.counts.limited.key += 1;
      return { ...this.#rejectKnown(row, rateLimited(limit), use, now), limit };
    }
    if (use.recorded !== false) {
      valid.usage.accept(row, now, use.address ?? '', userAgent);
      this.#options.counts.valid += 1;
    }
    return accept(valid, row, limit);
  }

  /** Counts a request against the key's limit. @returns null without a limit, undefined if a grant is needed */
  #take(row: number, now: number): LimitState | null | undefined {
    const quota = this.#valid.limit(row);
    if (quota === 0) return null;
    const { grants } = this.#options;
    const window = this.#windows.of(row);
    if (grants === undefined) return take(window, 'key', quota, now);
    return grants.take(window, quota, now, this.#valid, row);
  }

<<<<<<< 553f3d2e8d2ac735c3bdd3ed9c46cb974e89b773
  /** Reads what is not remembered, or may not be trusted. */
  #load<T>(hash: string, question: KeyVerification<T>): MaybePromise<Decided<T>> {
    const failed = (error: unknown): Rejected => {
=======
  /** Reads a secret that is not cached, or whose cached row may not be used. */
  #load<T>(hash: string, verification: Question<T>): MaybePromise<Decided<T>> {
    const failed = (error: unknown): Refused => {
>>>>>>> 589cbf51e780b025d5652db8b4e5067173dc75fc
      this.#options.failed(error);
      return this.unavailable(verification.use);
    };
    const decide = (read: Read) => this.#decideRead(hash, read, verification);
    try {
      const read = this.#options.secrets.read(hash);
      return read instanceof Promise ? read.then(decide).catch(failed) : decide(read);
    } catch (error) {
      return failed(error);
    }
  }

  /**
   * Caches and decides in one turn, so a value read before a revocation is never cached after it. A value that may not
   * be cached stays in the table for this decision only.
   */
<<<<<<< 553f3d2e8d2ac735c3bdd3ed9c46cb974e89b773
  #decideRead<T>(hash: string, { stored, mayKeep }: Read, question: KeyVerification<T>): Decided<T> {
=======
  #decideRead<T>(hash: string, { stored, mayKeep }: Read, verification: Question<T>): Decided<T> {
>>>>>>> 589cbf51e780b025d5652db8b4e5067173dc75fc
    const now = this.#now();
    const isGood = stored !== undefined && 'key' in stored;
    const table = isGood ? this.#valid : this.#rejected;
    if (!isGood) this.#valid.drop(hash);
    try {
      if (isGood) {
        const row = table.add(hash, stored.key);
        this.#windows.adopt(row);
        return this.#decide(row, verification, now);
      }
      return this.#rejectEnded(table.addRejected(hash, stored?.ended), verification.use, now);
    } finally {
      if (!mayKeep()) table.drop(hash);
    }
  }

<<<<<<< 553f3d2e8d2ac735c3bdd3ed9c46cb974e89b773
  /** Refuses a request whose key the database did not speak of in time. */
  unavailable(use: VerifyOptions): Rejected {
    return this.#refuse(verificationUnavailable, use);
  }

  /** Refuses a secret that is none, or was revoked or retired. */
  #refuseEnded(row: number, use: VerifyOptions, now: number): Rejected {
    const ended = this.#refused.readEnded(row);
    if (ended === undefined || isForeign(ended.workspaceId, use))
      return this.#refuseStranger(unknownKey, use, now);
    if (use.recorded !== false) this.#refused.usage.refuse(row, now);
    return this.#refuse(
      ended.standing === 'revoked' ? revokedKey(ended.since) : retiredSecret(ended.since),
      use,
    );
  }

  /** Refuses a key whose secret is right. The holder sees such refusals on the key's page. */
  #refuseKnown(row: number, refusal: ApiProblem, use: VerifyOptions, now: number): Rejected {
    if (use.recorded !== false) this.#good.usage.refuse(row, now);
    return this.#refuse(refusal, use);
  }

  /** Refuses credentials that are no key of ours: too many of them from one address are told to slow down. */
  #refuseStranger(refusal: ApiProblem, use: VerifyOptions, now: number): Rejected {
    if (use.address === undefined || use.recorded === false || !guessCodes.has(refusal.code)) {
      return this.#refuse(refusal, use);
=======
  /** Rejects a request because the database did not respond in time. */
  unavailable(use: Use): Refused {
    return this.#reject(verificationUnavailable, use);
  }

  /** Rejects an unknown, revoked or retired secret. */
  #rejectEnded(row: number, use: Use, now: number): Refused {
    const ended = this.#rejected.readEnded(row);
    if (ended === undefined || isForeign(ended.workspaceId, use))
      return this.#rejectInvalid(unknown, use, now);
    if (use.recorded !== false) this.#rejected.usage.refuse(row, now);
    return this.#reject(ended.standing === 'revoked' ? revoked(ended.since) : retired(ended.since), use);
  }

  /** Rejects a key whose secret is correct. Such rejections are shown on the key's page. */
  #rejectKnown(row: number, refusal: Refusal, use: Use, now: number): Refused {
    if (use.recorded !== false) this.#valid.usage.refuse(row, now);
    return this.#reject(refusal, use);
  }

  /** Rejects credentials that are not a known key, and limits their number per IP address. */
  #rejectInvalid(refusal: Refusal, use: Use, now: number): Refused {
    if (use.address === undefined || use.recorded === false || !guesses.has(refusal.code)) {
      return this.#reject(refusal, use);
>>>>>>> 589cbf51e780b025d5652db8b4e5067173dc75fc
    }
    const limit = this.#options.addressLimits.take(use.address, now);
    if (limit === null || limit.passed) return this.#reject(refusal, use);
    this.#options.counts.limited.address += 1;
    return this.#reject(rateLimited(limit), use);
  }

<<<<<<< 553f3d2e8d2ac735c3bdd3ed9c46cb974e89b773
  #refuse(refusal: ApiProblem, use: VerifyOptions): Rejected {
=======
  #reject(refusal: Refusal, use: Use): Refused {
>>>>>>> 589cbf51e780b025d5652db8b4e5067173dc75fc
    if (use.recorded !== false) this.#options.counts.refuse(refusal.code);
    return { refusal };
  }

  #explain(token: string): ApiProblem {
    return (
      explainKey(token, this.#options.prefixes) ?? {
        code: 'malformed_key',
        message: 'This is not a key of this service.',
      }
    );
  }
}

<<<<<<< 553f3d2e8d2ac735c3bdd3ed9c46cb974e89b773
/** Whether a workspace is one whose keys the caller does not see: for the caller there is no such key. */
function isForeign(workspace: string, { workspaceId }: VerifyOptions): boolean {
=======
/** Whether the caller cannot see the keys of a workspace. Such a key is unknown to the caller. */
function isForeign(workspace: string, { workspaceId }: Use): boolean {
>>>>>>> 589cbf51e780b025d5652db8b4e5067173dc75fc
  return workspaceId !== undefined && workspace !== workspaceId;
}

function ownTarget(request: IncomingMessage): readonly string[] {
  return [request.url ?? '/'];
}
