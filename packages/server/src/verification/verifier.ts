import type { IncomingMessage } from 'node:http';
import { explainKey, parseKey } from '@soku/key';
import type { Refusal } from '../http/errors.ts';
import type { AddressLimits } from '../limits/address-limits.ts';
import type { Grants } from '../limits/grants.ts';
import { type LimitState, take } from '../limits/sliding-window.ts';
import { longestKey, readCredentials, usualToken } from './credentials.ts';
import { hashOf } from './hash-words.ts';
import { judge } from './judge.ts';
import { type KeyTable, none } from './key-table.ts';
import type { KeyWindows } from './key-windows.ts';
import type { SecretMemory } from './memory.ts';
import { guesses, rateLimited, retired, revoked, unknown, verificationUnavailable } from './refusals.ts';
import type { RequestFields } from './request-fields.ts';
import type { CacheLease, Read, SecretSource } from './secret-source.ts';
import { type Accept, type Ask, type MaybePromise, NeedsGrant, type Refused, type Use } from './verdict.ts';
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
  /** What counts in place of this process alone, when there are several. */
  grants?: Pick<Grants, 'take'> | undefined;
  addressLimits: AddressLimits;
  counts: VerificationCounts;
  /** Epoch ms. */
  now?: () => number;
  /** Told when the database did not answer; the key is then refused. */
  failed: (error: unknown) => void;
}

/** What comes of a verification: what was made of an accepted key, or why there is nothing. */
export type Decided<T> = T | Refused | NeedsGrant;

/** One verification: what is asked, and what is made of the answer. */
export interface Question<T> {
  use: Use;
  userAgent: string;
  accept: Accept<T>;
}

/**
 * Answers whether the key of a request is good. One straight line: parse, look up, decide, limit, record. Nothing is
 * awaited between the look whether memory may be trusted, the look into it, and the decision, so a revocation cannot
 * fall between them.
 */
export class Verifier {
  readonly #options: Options;
  readonly #now: () => number;
  readonly #good: KeyTable;
  readonly #refused: KeyTable;
  readonly #windows: KeyWindows;
  readonly #lease: CacheLease;

  constructor(options: Options) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#good = options.memory.good;
    this.#refused = options.memory.refused;
    this.#windows = options.memory.windows;
    this.#lease = options.lease;
  }

  /** Verifies a request by the fields of its header. @param accept called when the key is accepted */
  verifyFields<T>(
    fields: RequestFields,
    request: IncomingMessage,
    ask: Ask,
    accept: Accept<T>,
  ): MaybePromise<Decided<T>> {
    const { counts } = this.#options;
    const question = { use: ask, userAgent: fields.userAgent, accept };
    if (!counts.isSample()) return this.#verifyFields(fields, request, ask, question);
    const start = performance.now();
    const verdict = this.#verifyFields(fields, request, ask, question);
    counts.took(performance.now() - start);
    return verdict;
  }

  #verifyFields<T>(
    fields: RequestFields,
    request: IncomingMessage,
    ask: Ask,
    question: Question<T>,
  ): MaybePromise<Decided<T>> {
    const token = usualToken(fields);
    const hash = token === undefined ? undefined : hashOf(token);
    const now = this.#now();
    const row = hash === undefined ? none : this.#findGood(hash, now);
    if (row !== none) return this.#decideCached(row, question, now);
    const { targets = ownTarget } = ask;
    const credentials = readCredentials(fields, request, targets, this.#options.prefixes);
    if ('code' in credentials) return this.#refuseStranger(credentials, ask, now);
    // With a hash it is the same token, and it is not among the good ones.
    if (hash !== undefined) return this.#verifyUncached(credentials.token, hash, question, now);
    return this.verifyToken(credentials.token, question);
  }

  /**
   * Verifies a key. No other text has the same hash, so a cached key needs no check of its form.
   *
   * @param token what was sent as the key
   */
  verifyToken<T>(token: string, question: Question<T>): MaybePromise<Decided<T>> {
    const hash = token.length > longestKey ? undefined : hashOf(token);
    const now = this.#now();
    const row = hash === undefined ? none : this.#findGood(hash, now);
    if (row !== none) return this.#decideCached(row, question, now);
    return this.#verifyUncached(token, hash, question, now);
  }

  /** @param hash undefined when the token is too long for a key */
  #verifyUncached<T>(
    token: string,
    hash: string | undefined,
    question: Question<T>,
    now: number,
  ): MaybePromise<Decided<T>> {
    if (hash === undefined || parseKey(token, this.#options.prefixes) === null) {
      return this.#refuseStranger(this.#explain(token), question.use, now);
    }
    const { lookUps } = this.#options.counts;
    const row = this.#refused.find(hash);
    if (row !== none) {
      lookUps.refused += 1;
      return this.#refuseEnded(row, question.use, now);
    }
    lookUps.database += 1;
    return this.#load(hash, question);
  }

  /** A good secret that is remembered, when memory may be trusted. @param now epoch ms */
  #findGood(hash: string, now: number): number {
    const row = this.#good.find(hash);
    return row !== none && this.#lease.holds(now) ? row : none;
  }

  #decideCached<T>(row: number, question: Question<T>, now: number): Decided<T> {
    const decided = this.#decide(row, question, now);
    if (question.use.recorded !== false && !(decided instanceof NeedsGrant)) {
      this.#options.counts.lookUps.good += 1;
    }
    return decided;
  }

  #decide<T>(row: number, question: Question<T>, now: number): Decided<T> {
    const good = this.#good;
    const { use, userAgent, accept } = question;
    if (isForeign(good.workspaceId(row), use)) return this.#refuseStranger(unknown, use, now);
    if (use.needs !== undefined || use.denied !== undefined || good.mayHaveEnded(row, now)) {
      const fault = judge(good.read(row), use, now);
      if (fault !== undefined) return this.#refuseKnown(row, fault, use, now);
    }
    const limit = use.limited === false ? null : this.#take(row, now);
    if (limit === undefined) return new NeedsGrant(good.keyId(row), good.limit(row));
    if (limit?.passed === false) {
      this.#options.counts.limited.key += 1;
      return { ...this.#refuseKnown(row, rateLimited(limit), use, now), limit };
    }
    if (use.recorded !== false) {
      good.usage.accept(row, now, use.address ?? '', userAgent);
      this.#options.counts.valid += 1;
    }
    return accept(good, row, limit);
  }

  /** Counts a request against the key's limit; null when it has none, undefined when it needs a grant. */
  #take(row: number, now: number): LimitState | null | undefined {
    const quota = this.#good.limit(row);
    if (quota === 0) return null;
    const { grants } = this.#options;
    const window = this.#windows.of(row);
    if (grants === undefined) return take(window, 'key', quota, now);
    return grants.take(window, quota, now, this.#good, row);
  }

  /** Reads what is not remembered, or may not be trusted. */
  #load<T>(hash: string, question: Question<T>): MaybePromise<Decided<T>> {
    const failed = (error: unknown): Refused => {
      this.#options.failed(error);
      return this.unavailable(question.use);
    };
    const decide = (read: Read) => this.#decideRead(hash, read, question);
    try {
      const read = this.#options.secrets.read(hash);
      return read instanceof Promise ? read.then(decide).catch(failed) : decide(read);
    } catch (error) {
      return failed(error);
    }
  }

  /**
   * Remembers and decides in one turn: a value read before a revocation can never be remembered after it. What may not
   * be kept is in the table for this decision only.
   */
  #decideRead<T>(hash: string, { stored, mayKeep }: Read, question: Question<T>): Decided<T> {
    const now = this.#now();
    const isGood = stored !== undefined && 'key' in stored;
    const table = isGood ? this.#good : this.#refused;
    if (!isGood) this.#good.drop(hash);
    try {
      if (isGood) {
        const row = table.add(hash, stored.key);
        this.#windows.adopt(row);
        return this.#decide(row, question, now);
      }
      return this.#refuseEnded(table.addRejected(hash, stored?.ended), question.use, now);
    } finally {
      if (!mayKeep()) table.drop(hash);
    }
  }

  /** Refuses a request whose key the database did not speak of in time. */
  unavailable(use: Use): Refused {
    return this.#refuse(verificationUnavailable, use);
  }

  /** Refuses a secret that is none, or was revoked or retired. */
  #refuseEnded(row: number, use: Use, now: number): Refused {
    const ended = this.#refused.readEnded(row);
    if (ended === undefined || isForeign(ended.workspaceId, use))
      return this.#refuseStranger(unknown, use, now);
    if (use.recorded !== false) this.#refused.usage.refuse(row, now);
    return this.#refuse(ended.standing === 'revoked' ? revoked(ended.since) : retired(ended.since), use);
  }

  /** Refuses a key whose secret is right. The holder sees such refusals on the key's page. */
  #refuseKnown(row: number, refusal: Refusal, use: Use, now: number): Refused {
    if (use.recorded !== false) this.#good.usage.refuse(row, now);
    return this.#refuse(refusal, use);
  }

  /** Refuses credentials that are no key of ours: too many of them from one address are told to slow down. */
  #refuseStranger(refusal: Refusal, use: Use, now: number): Refused {
    if (use.address === undefined || use.recorded === false || !guesses.has(refusal.code)) {
      return this.#refuse(refusal, use);
    }
    const limit = this.#options.addressLimits.take(use.address, now);
    if (limit === null || limit.passed) return this.#refuse(refusal, use);
    this.#options.counts.limited.address += 1;
    return this.#refuse(rateLimited(limit), use);
  }

  #refuse(refusal: Refusal, use: Use): Refused {
    if (use.recorded !== false) this.#options.counts.refuse(refusal.code);
    return { refusal };
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

/** Whether a workspace is one whose keys the caller does not see: for the caller there is no such key. */
function isForeign(workspace: string, { workspaceId }: Use): boolean {
  return workspaceId !== undefined && workspace !== workspaceId;
}

function ownTarget(request: IncomingMessage): readonly string[] {
  return [request.url ?? '/'];
}
