import type { IncomingMessage } from 'node:http';
import type { Grants } from '../limits/grants.ts';
import type { LimitState } from '../limits/sliding-window.ts';
import type { KeyTable } from './key-table.ts';
import { type RequestFields, readFields } from './request-fields.ts';
import {
  type AcceptKey,
  type MaybePromise,
  NeedsGrant,
  type Rejected,
  type ResultOrPromise,
  type VerificationResult,
  type VerifyOptions,
  type VerifyRequestOptions,
} from './result.ts';
import type { Decided, KeyVerification, Verifier } from './verifier.ts';

/** A verifier that waits for the grant that a key needs, and then repeats the whole verification. */
export class GrantingVerifier {
  readonly #verifier: Verifier;
  readonly #grants: Pick<Grants, 'wait'> | undefined;

  /** @param grants undefined if the verifier never needs one */
  constructor(verifier: Verifier, grants?: Pick<Grants, 'wait'> | undefined) {
    this.#verifier = verifier;
    this.#grants = grants;
  }

<<<<<<< 553f3d2e8d2ac735c3bdd3ed9c46cb974e89b773
  /** Verifies a request by its header. */
  verify(request: IncomingMessage, ask: VerifyRequestOptions): ResultOrPromise {
=======
  /** Verifies a request by its header fields. */
  verify(request: IncomingMessage, ask: Ask): VerdictOrPromise {
>>>>>>> 589cbf51e780b025d5652db8b4e5067173dc75fc
    return this.verifyFields(readFields(request.rawHeaders), request, ask, copy);
  }

  /** The same with fields that were already read. @param accept called if the key is accepted */
  verifyFields<T>(
    fields: RequestFields,
    request: IncomingMessage,
    ask: VerifyRequestOptions,
    accept: AcceptKey<T>,
  ): MaybePromise<T | Rejected> {
    const decided = this.#verifier.verifyFields(fields, request, ask, accept);
    if (!mayNeedGrant(decided)) return decided;
    // In a separate method, because a closure here would slow down every verification.
    return this.#waitForFields(decided, fields, request, ask, accept);
  }

  /**
   * Verifies a key.
   *
   * @param token the text sent as the key
   * @param userAgent of the program that uses it
   */
  verifyKey(token: string, use: VerifyOptions = {}, userAgent = ''): ResultOrPromise {
    return this.verifyToken(token, { use, userAgent, accept: copy });
  }

  verifyToken<T>(token: string, question: KeyVerification<T>): MaybePromise<T | Rejected> {
    const decided = this.#verifier.verifyToken(token, question);
    return mayNeedGrant(decided) ? this.#waitForToken(decided, token, question) : decided;
  }

  #waitForFields<T>(
    first: MaybePromise<Decided<T>>,
    fields: RequestFields,
    request: IncomingMessage,
    ask: VerifyRequestOptions,
    accept: AcceptKey<T>,
  ): Promise<T | Rejected> {
    return this.#wait(first, ask, () => this.#verifier.verifyFields(fields, request, ask, accept));
  }

  #waitForToken<T>(
    first: MaybePromise<Decided<T>>,
    token: string,
    question: KeyVerification<T>,
  ): Promise<T | Rejected> {
    return this.#wait(first, question.use, () => this.#verifier.verifyToken(token, question));
  }

  async #wait<T>(
    first: MaybePromise<Decided<T>>,
    use: VerifyOptions,
    verify: () => MaybePromise<Decided<T>>,
  ): Promise<T | Rejected> {
    let decided = await first;
    while (decided instanceof NeedsGrant) {
      const { keyId, quota } = decided;
      if ((await this.#grants?.wait(keyId, quota)) !== true) return this.#verifier.unavailable(use);
      decided = await verify();
    }
    return decided;
  }
}

<<<<<<< 553f3d2e8d2ac735c3bdd3ed9c46cb974e89b773
/** A result that the caller may keep. */
function copy(keys: KeyTable, row: number, limit: LimitState | null): VerificationResult {
=======
/** Copies the row into a result that the caller may keep. */
function copy(keys: KeyTable, row: number, limit: LimitState | null): Verdict {
>>>>>>> 589cbf51e780b025d5652db8b4e5067173dc75fc
  return { key: keys.read(row), limit };
}

function mayNeedGrant<T>(decided: MaybePromise<Decided<T>>): decided is Promise<Decided<T>> | NeedsGrant {
  return decided instanceof NeedsGrant || decided instanceof Promise;
}
