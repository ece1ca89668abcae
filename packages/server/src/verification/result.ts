import type { IncomingMessage } from 'node:http';
import type { ApiProblem } from '../http/errors.ts';
import type { LimitState } from '../limits/sliding-window.ts';
import type { KeyTable } from './key-table.ts';
import type { VerifiedKey } from './known-secret.ts';

/** `limit` is that of a known key which is over it. */
export interface Rejected {
  key?: never;
  limit?: LimitState;
  refusal: ApiProblem;
}

/** The key would be accepted, and the limit has room as far as is known, but this node needs a grant for the request. */
export class NeedsGrant {
  readonly keyId: string;
  /** Requests a minute. */
  readonly quota: number;

  constructor(keyId: string, quota: number) {
    this.keyId = keyId;
    this.quota = quota;
  }
}

export type VerificationResult =
  /** `limit` is where the key stands after this request; null when it has no limit, or was not counted. */
  { key: VerifiedKey; limit: LimitState | null; refusal?: never } | Rejected;

/**
 * Makes of an accepted key what its caller needs. Called in the turn of the decision: after it the row may hold another
 * secret.
 *
 * @param limit as above
 */
export type AcceptKey<T> = (keys: KeyTable, row: number, limit: LimitState | null) => T;

/** A value when the key is cached, or the database is a file; else a promise of what the database returns. */
export type MaybePromise<T> = T | Promise<T>;
export type ResultOrPromise = MaybePromise<VerificationResult>;

/** How a key is used at the moment. */
export interface VerifyOptions {
  /** The client's; unknown keys are limited by it. Absent: they are not limited. */
  address?: string | undefined;
  /** The scopes that the key must have: Soku's own, or those of the API behind the gateway. */
  needs?: readonly string[] | undefined;
  /** Why no key may do it, however good it is. */
  denied?: ApiProblem | undefined;
  /** Whoever asks sees the keys of this workspace only; others are unknown to it. Default: the keys of all. */
  workspaceId?: string | undefined;
  /** Whether this counts against the key's limit. Default: yes. */
  limited?: boolean;
  /** Whether this is a request of its own, and so counts as a use. Default: yes. */
  recorded?: boolean;
}

/** What is asked of a request. */
export interface VerifyRequestOptions extends VerifyOptions {
  /**
   * Finds path and query of the request that the key was meant for (for forward-auth, the original one, which may be
   * told more than once). Called only when no Authorization came. Default: those of the request itself.
   */
  targets?: ((request: IncomingMessage) => readonly string[]) | undefined;
}
