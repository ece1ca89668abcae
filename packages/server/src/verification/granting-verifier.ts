import type { IncomingMessage } from 'node:http';
import type { Grants } from '../limits/grants.ts';
import type { RequestFields } from './request-fields.ts';
import {
  type Accept,
  type Ask,
  type MaybePromise,
  NeedsGrant,
  type Refused,
  type Use,
  type Verdict,
  type VerdictOrPromise,
} from './verdict.ts';
import type { Decided, Question, Verifier } from './verifier.ts';

/** A verifier that waits for the grant that a key needs, and then verifies again, from the start. */
export class GrantingVerifier {
  readonly #verifier: Verifier;
  readonly #grants: Pick<Grants, 'wait'> | undefined;

  /** @param grants absent when the verifier needs none */
  constructor(verifier: Verifier, grants?: Pick<Grants, 'wait'> | undefined) {
    this.#verifier = verifier;
    this.#grants = grants;
  }

  verify(request: IncomingMessage, ask: Ask): VerdictOrPromise {
    return this.#settle<Verdict>(ask, () => this.#verifier.verify(request, ask));
  }

  verifyFields<T>(
    fields: RequestFields,
    request: IncomingMessage,
    ask: Ask,
    accept: Accept<T>,
  ): MaybePromise<T | Refused> {
    return this.#settle<T>(ask, () => this.#verifier.verifyFields(fields, request, ask, accept));
  }

  verifyKey(token: string, use: Use = {}, userAgent = ''): VerdictOrPromise {
    return this.#settle<Verdict>(use, () => this.#verifier.verifyKey(token, use, userAgent));
  }

  verifyToken<T>(token: string, question: Question<T>): MaybePromise<T | Refused> {
    return this.#settle<T>(question.use, () => this.#verifier.verifyToken(token, question));
  }

  #settle<T>(use: Use, verify: () => MaybePromise<Decided<T>>): MaybePromise<T | Refused> {
    const decided = verify();
    if (decided instanceof NeedsGrant || decided instanceof Promise) return this.#wait(use, verify, decided);
    return decided;
  }

  async #wait<T>(
    use: Use,
    verify: () => MaybePromise<Decided<T>>,
    first: MaybePromise<Decided<T>>,
  ): Promise<T | Refused> {
    let decided = await first;
    while (decided instanceof NeedsGrant) {
      const { keyId, quota } = decided;
      if ((await this.#grants?.wait(keyId, quota)) !== true) return this.#verifier.unavailable(use);
      decided = await verify();
    }
    return decided;
  }
}
