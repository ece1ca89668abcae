import type { IncomingMessage } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { Grants } from '../limits/grants.ts';
import type { LimitState } from '../limits/sliding-window.ts';
import type { KeyTable } from './key-table.ts';
import { type RequestFields, readFields } from './request-fields.ts';
import {
  type AcceptKey,
  DelayedRejection,
  type KeyVerification,
  type MaybePromise,
  NeedsGrant,
  type Rejected,
  type ResultOrPromise,
  type VerificationResult,
  type VerifierOutcome,
  type VerifyOptions,
  type VerifyRequestOptions,
} from './result.ts';
import type { Verifier } from './verifier.ts';

/** Delays the rejection of a request from an IP address over its limit by 20 ms. */
const defaultDelay = (): Promise<unknown> => wait(20);

/** Maximum number of delayed rejections at a time, because each keeps its request in memory. Others are not delayed. */
const maxDelayed = 1000;

/**
 * A verifier that waits for the grant that a key needs, and then repeats the whole verification. It also delays
 * rejections of requests whose IP address sends too many invalid keys.
 */
export class GrantingVerifier {
  readonly #verifier: Verifier;
  readonly #grants: Pick<Grants, 'wait'> | undefined;
  readonly #wait: () => Promise<unknown>;
  #delayed = 0;

  /**
   * @param grants undefined if the verifier never needs one
   * @param delay resolves when a delayed rejection may be returned
   */
  constructor(verifier: Verifier, grants?: Pick<Grants, 'wait'>, delay = defaultDelay) {
    this.#verifier = verifier;
    this.#grants = grants;
    this.#wait = delay;
  }

  /** Verifies a request by its header fields. */
  verify(request: IncomingMessage, options: VerifyRequestOptions): ResultOrPromise {
    return this.verifyFields(readFields(request.rawHeaders), request, options, copy);
  }

  /** The same with fields that were already read. @param accept called if the key is accepted */
  verifyFields<T>(
    fields: RequestFields,
    request: IncomingMessage,
    options: VerifyRequestOptions,
    accept: AcceptKey<T>,
  ): MaybePromise<T | Rejected> {
    const decided = this.#verifier.verifyFields(fields, request, options, accept);
    if (!isPending(decided)) return decided;
    // In a separate method, because a closure here would slow down every verification.
    return this.#waitForFields(decided, fields, request, options, accept);
  }

  /**
   * Verifies a key.
   *
   * @param token the text sent as the key
   * @param userAgent of the program that uses it
   */
  verifyKey(token: string, options: VerifyOptions = {}, userAgent = ''): ResultOrPromise {
    return this.verifyToken(token, { options, userAgent, accept: copy });
  }

  verifyToken<T>(token: string, verification: KeyVerification<T>): MaybePromise<T | Rejected> {
    const decided = this.#verifier.verifyToken(token, verification);
    return isPending(decided) ? this.#waitForToken(decided, token, verification) : decided;
  }

  async #waitForFields<T>(
    first: MaybePromise<VerifierOutcome<T>>,
    fields: RequestFields,
    request: IncomingMessage,
    options: VerifyRequestOptions,
    accept: AcceptKey<T>,
  ): Promise<T | Rejected> {
    const again = () => this.#verifier.verifyFields(fields, request, options, accept);
    const decided =
      first instanceof DelayedRejection ? first : await this.#waitForGrants(first, options, again);
    if (!(decided instanceof DelayedRejection)) return decided;
    await this.#delay();
    return decided.rejected;
  }

  /** Never delayed: a back end sent the key, perhaps as one of many. */
  async #waitForToken<T>(
    first: MaybePromise<VerifierOutcome<T>>,
    token: string,
    verification: KeyVerification<T>,
  ): Promise<T | Rejected> {
    const decided = await this.#waitForGrants(first, verification.options, () =>
      this.#verifier.verifyToken(token, verification),
    );
    return decided instanceof DelayedRejection ? decided.rejected : decided;
  }

  async #waitForGrants<T>(
    first: MaybePromise<VerifierOutcome<T>>,
    options: VerifyOptions,
    verify: () => MaybePromise<VerifierOutcome<T>>,
  ): Promise<T | Rejected | DelayedRejection> {
    let decided = await first;
    while (decided instanceof NeedsGrant) {
      const { keyId, quota } = decided;
      if ((await this.#grants?.wait(keyId, quota)) !== true) return this.#verifier.unavailable(options);
      decided = await verify();
    }
    return decided;
  }

  async #delay(): Promise<void> {
    if (this.#delayed >= maxDelayed) return;
    this.#delayed += 1;
    await this.#wait();
    this.#delayed -= 1;
  }
}

/** Copies the row into a result that the caller may keep. */
function copy(keys: KeyTable, row: number, limit: LimitState | null): VerificationResult {
  return { key: keys.read(row), secretHash: Buffer.from(keys.hash(row), 'latin1'), limit };
}

function isPending<T>(
  decided: MaybePromise<VerifierOutcome<T>>,
): decided is Promise<VerifierOutcome<T>> | NeedsGrant | DelayedRejection {
  return decided instanceof NeedsGrant || decided instanceof DelayedRejection || decided instanceof Promise;
}
