import type { IncomingMessage } from 'node:http';
import type { Grants } from '../limits/grants.ts';
import type { LimitState } from '../limits/sliding-window.ts';
import type { KeyTable } from './key-table.ts';
import { type RequestFields, readFields } from './request-fields.ts';
import {
  type AcceptKey,
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

/** A verifier that waits for the grant that a key needs, and then repeats the whole verification. */
export class GrantingVerifier {
  readonly #verifier: Verifier;
  readonly #grants: Pick<Grants, 'wait'> | undefined;

  /** @param grants undefined if the verifier never needs one */
  constructor(verifier: Verifier, grants?: Pick<Grants, 'wait'> | undefined) {
    this.#verifier = verifier;
    this.#grants = grants;
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
    if (!mayNeedGrant(decided)) return decided;
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
    return mayNeedGrant(decided) ? this.#waitForToken(decided, token, verification) : decided;
  }

  #waitForFields<T>(
    first: MaybePromise<VerifierOutcome<T>>,
    fields: RequestFields,
    request: IncomingMessage,
    options: VerifyRequestOptions,
    accept: AcceptKey<T>,
  ): Promise<T | Rejected> {
    return this.#wait(first, options, () => this.#verifier.verifyFields(fields, request, options, accept));
  }

  #waitForToken<T>(
    first: MaybePromise<VerifierOutcome<T>>,
    token: string,
    verification: KeyVerification<T>,
  ): Promise<T | Rejected> {
    return this.#wait(first, verification.options, () => this.#verifier.verifyToken(token, verification));
  }

  async #wait<T>(
    first: MaybePromise<VerifierOutcome<T>>,
    options: VerifyOptions,
    verify: () => MaybePromise<VerifierOutcome<T>>,
  ): Promise<T | Rejected> {
    let decided = await first;
    while (decided instanceof NeedsGrant) {
      const { keyId, quota } = decided;
      if ((await this.#grants?.wait(keyId, quota)) !== true) return this.#verifier.unavailable(options);
      decided = await verify();
    }
    return decided;
  }
}

/** Copies the row into a result that the caller may keep. */
function copy(keys: KeyTable, row: number, limit: LimitState | null): VerificationResult {
  return { key: keys.read(row), limit };
}

function mayNeedGrant<T>(
  decided: MaybePromise<VerifierOutcome<T>>,
): decided is Promise<VerifierOutcome<T>> | NeedsGrant {
  return decided instanceof NeedsGrant || decided instanceof Promise;
}
