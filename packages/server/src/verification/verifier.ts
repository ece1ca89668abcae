import type { IncomingMessage } from 'node:http';
import type { ApiProblem } from '../http/errors.ts';
import { consume, type LimitState } from '../limits/sliding-window.ts';
import { plainBearerToken, readCredentials, requestTarget } from './credentials.ts';
import { hashSecret } from './hash-words.ts';
import { KeyFormats } from './key-formats.ts';
import { type KeyTable, noRow } from './key-table.ts';
import type { KeyWindows } from './key-windows.ts';
import { limitAddress } from './limit-address.ts';
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
  DelayedRejection,
  type KeyVerification,
  type MaybePromise,
  NeedsGrant,
  type Rejected,
  type VerifierOutcome,
  type VerifyOptions,
  type VerifyRequestOptions,
} from './result.ts';
import type { CacheLease, SecretRead } from './secret-source.ts';
import { UseCheck } from './use-check.ts';
import type { VerifierOptions } from './verifier-options.ts';

/**
 * Verifies the key of a request: parse, look up, decide, limit, record. Nothing is awaited between the lease check, the
 * cache lookup and the decision, so a revocation cannot come between them.
 */
export class Verifier {
  readonly #options: VerifierOptions;
  readonly #now: () => number;
  readonly #formats: KeyFormats;
  readonly #valid: KeyTable;
  readonly #rejected: KeyTable;
  readonly #uses: UseCheck;
  readonly #windows: KeyWindows;
  readonly #lease: CacheLease;

  constructor(options: VerifierOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#formats = new KeyFormats(options.prefixes, options.importedPrefixes ?? []);
    this.#valid = options.cache.valid;
    this.#rejected = options.cache.rejected;
    this.#uses = new UseCheck(options.cache.valid, options);
    this.#windows = options.cache.windows;
    this.#lease = options.lease;
  }

  /** Verifies the key in the header fields of a request. @param accept called if the key is accepted */
  verifyFields<T>(
    fields: RequestFields,
    request: IncomingMessage,
    options: VerifyRequestOptions,
    accept: AcceptKey<T>,
  ): MaybePromise<VerifierOutcome<T>> {
    const { counts } = this.#options;
    const verification = { options, userAgent: fields.userAgent, accept, request };
    if (!counts.shouldTime()) return this.#verifyFields(fields, request, options, verification);
    const start = performance.now();
    const decided = this.#verifyFields(fields, request, options, verification);
    counts.recordDuration(performance.now() - start);
    return decided;
  }

  #verifyFields<T>(
    fields: RequestFields,
    request: IncomingMessage,
    options: VerifyRequestOptions,
    verification: KeyVerification<T>,
  ): MaybePromise<VerifierOutcome<T>> {
    const token = plainBearerToken(fields, this.#formats.maxLength);
    const hash = token === undefined ? undefined : hashSecret(token);
    const now = this.#now();
    const row = hash === undefined ? noRow : this.#findValid(hash, now);
    if (row !== noRow) return this.#decideCached(row, verification, now);
    const { targets = requestTarget } = options;
    const credentials = readCredentials(fields, request, targets, this.#options.prefixes);
    if ('code' in credentials) return this.#rejectInvalid(credentials, options, now);
    // If there is a hash, it is that of this token, which could not be verified from the cache of valid keys.
    if (hash !== undefined) return this.#verifyUncached(credentials.token, hash, verification, now);
    return this.verifyToken(credentials.token, verification);
  }

  /**
   * Verifies a key. No other text has the same hash, so a cached key needs no format check.
   *
   * @param token the text sent as the key
   */
  verifyToken<T>(token: string, verification: KeyVerification<T>): MaybePromise<VerifierOutcome<T>> {
    const hash = token.length > this.#formats.maxLength ? undefined : hashSecret(token);
    const now = this.#now();
    const row = hash === undefined ? noRow : this.#findValid(hash, now);
    if (row !== noRow) return this.#decideCached(row, verification, now);
    return this.#verifyUncached(token, hash, verification, now);
  }

  /** Verifies a token without the cache of valid keys. @param hash undefined if it is too long for a key */
  #verifyUncached<T>(
    token: string,
    hash: string | undefined,
    verification: KeyVerification<T>,
    now: number,
  ): MaybePromise<VerifierOutcome<T>> {
    if (hash === undefined || !this.#formats.includes(token)) {
      return this.#rejectInvalid(this.#formats.explain(token), verification.options, now);
    }
    const { lookups } = this.#options.counts;
    const row = this.#findRejected(hash, now);
    if (row !== noRow) {
      lookups.rejected += 1;
      return this.#rejectEnded(row, token, verification.options, now);
    }
    lookups.database += 1;
    return this.#load(token, hash, verification);
  }

  /**
   * Finds a cached rejection. A revoked key stays revoked, but an unknown one can be imported, so its rejection needs
   * the lease, too.
   *
   * @param now epoch ms
   */
  #findRejected(hash: string, now: number): number {
    const row = this.#rejected.find(hash);
    if (row === noRow || this.#rejected.readEnded(row) !== undefined) return row;
    return this.#lease.holds(now) ? row : noRow;
  }

  /** Finds a cached valid secret, if the lease is held. @param now epoch ms */
  #findValid(hash: string, now: number): number {
    const row = this.#valid.find(hash);
    return row !== noRow && this.#lease.holds(now) ? row : noRow;
  }

  #decideCached<T>(row: number, verification: KeyVerification<T>, now: number): VerifierOutcome<T> {
    const decided = this.#decide(row, verification, now);
    if (verification.options.recorded !== false && !(decided instanceof NeedsGrant)) {
      this.#options.counts.lookups.valid += 1;
    }
    return decided;
  }

  #decide<T>(row: number, verification: KeyVerification<T>, now: number): VerifierOutcome<T> {
    const valid = this.#valid;
    const { options, userAgent, accept } = verification;
    if (isForeign(valid.workspaceId(row), options)) return this.#rejectInvalid(unknownKey, options, now);
    const problem = this.#uses.reject(row, verification, now);
    if (problem !== undefined) return this.#rejectKnown(row, problem, options, now);
    const limit = options.limited === false ? null : this.#take(row, now);
    if (limit === undefined) return new NeedsGrant(valid.keyId(row), valid.limit(row));
    if (limit?.passed === false) {
      this.#options.counts.limited.key += 1;
      return { ...this.#rejectKnown(row, rateLimited(limit), options, now), limit };
    }
    if (options.recorded !== false) {
      valid.usage.accept(row, now, options.address ?? '', userAgent);
      this.#options.counts.valid += 1;
      if (valid.details.startsGrace(row)) this.#startGrace(row, options, now);
    }
    return accept(valid, row, limit);
  }

  #startGrace(row: number, { startsGrace }: VerifyOptions, now: number): void {
    if (startsGrace === false) return;
    const valid = this.#valid;
    valid.details.setGraceStarted(row);
    this.#options.firstUsed?.({ keyId: valid.keyId(row), hash: valid.hash(row), at: now });
  }

  /** Counts a request against the key's limit. @returns null if there is no limit, undefined if it needs a grant */
  #take(row: number, now: number): LimitState | null | undefined {
    const quota = this.#valid.limit(row);
    if (quota === 0) return null;
    const { grants } = this.#options;
    const window = this.#windows.of(row);
    if (grants === undefined) return consume(window, 'key', quota, now);
    return grants.take(window, quota, now, this.#valid, row);
  }

  /** Reads a secret that is not cached, or whose cached row may not be used. */
  #load<T>(token: string, hash: string, verification: KeyVerification<T>): MaybePromise<VerifierOutcome<T>> {
    const failed = (error: unknown): Rejected => {
      this.#options.failed(error);
      return this.unavailable(verification.options);
    };
    const decide = (read: SecretRead) => this.#decideRead(token, hash, read, verification);
    try {
      const read = this.#options.secrets.read(hash);
      return read instanceof Promise ? read.then(decide).catch(failed) : decide(read);
    } catch (error) {
      return failed(error);
    }
  }

  /**
   * Caches and decides in one turn, so a secret read before a revocation is never cached after it. A secret that may
   * not be cached is in the table only during this decision.
   */
  #decideRead<T>(
    token: string,
    hash: string,
    { stored, mayCache }: SecretRead,
    verification: KeyVerification<T>,
  ): VerifierOutcome<T> {
    const now = this.#now();
    const isValid = stored !== undefined && 'key' in stored;
    const table = isValid ? this.#valid : this.#rejected;
    if (!isValid) this.#valid.drop(hash);
    try {
      if (isValid) {
        const row = table.add(hash, stored.key);
        this.#windows.attach(row);
        return this.#decide(row, verification, now);
      }
      const row = table.addRejected(hash, stored?.ended);
      return this.#rejectEnded(row, token, verification.options, now);
    } finally {
      if (!mayCache()) table.drop(hash);
    }
  }

  /** Rejects a key because the database could not be read. */
  unavailable(options: VerifyOptions): Rejected {
    return this.#reject(verificationUnavailable, options);
  }

  /** Rejects an unknown, revoked or retired secret. */
  #rejectEnded(row: number, token: string, options: VerifyOptions, now: number): Rejected | DelayedRejection {
    const ended = this.#rejected.readEnded(row);
    if (ended === undefined || isForeign(ended.workspaceId, options))
      return this.#rejectInvalid(this.#formats.explainUnknown(token), options, now);
    const problem = ended.standing === 'revoked' ? revokedKey(ended.since) : retiredSecret(ended.since);
    if (options.recorded !== false) this.#rejected.usage.reject(row, now, problem.code);
    return this.#reject(problem, options);
  }

  /** Rejects a key whose secret is correct. Such rejections are shown on the key's page. */
  #rejectKnown(row: number, problem: ApiProblem, options: VerifyOptions, now: number): Rejected {
    if (options.recorded !== false) this.#valid.usage.reject(row, now, problem.code);
    return this.#reject(problem, options);
  }

  /** Rejects credentials that are not a known key, and limits their number per IP address. */
  #rejectInvalid(problem: ApiProblem, options: VerifyOptions, now: number): Rejected | DelayedRejection {
    if (options.address === undefined || options.recorded === false || !guessCodes.has(problem.code)) {
      return this.#reject(problem, options);
    }
    const limited = limitAddress(this.#options, options.address, now);
    if (limited === undefined) return this.#reject(problem, options);
    return new DelayedRejection(this.#reject(limited, options));
  }

  #reject(problem: ApiProblem, options: VerifyOptions): Rejected {
    if (options.recorded !== false) this.#options.counts.recordRejection(problem.code);
    return { problem };
  }
}

/** Whether the caller cannot see the keys of a workspace. Such a key is unknown to the caller. */
function isForeign(workspace: string, { workspaceId }: VerifyOptions): boolean {
  return workspaceId !== undefined && workspace !== workspaceId;
}
