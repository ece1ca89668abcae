import type { IncomingMessage } from 'node:http';
import type { ApiProblem } from '../http/errors.ts';
import type { LimitState } from '../limits/sliding-window.ts';
import type { KeyTable } from './key-table.ts';
import type { VerifiedKey } from './known-secret.ts';

<<<<<<< 553f3d2e8d2ac735c3bdd3ed9c46cb974e89b773:packages/server/src/verification/result.ts
/** `limit` is that of a known key which is over it. */
export interface Rejected {
=======
/** A rejected key. `limit` is set if a valid key is over its limit. */
export interface Refused {
>>>>>>> 589cbf51e780b025d5652db8b4e5067173dc75fc:packages/server/src/verification/verdict.ts
  key?: never;
  limit?: LimitState;
  refusal: ApiProblem;
}

/** The key would be accepted, but this node needs a rate-limit grant for the request. */
export class NeedsGrant {
  readonly keyId: string;
  /** Requests per minute. */
  readonly quota: number;

  constructor(keyId: string, quota: number) {
    this.keyId = keyId;
    this.quota = quota;
  }
}

<<<<<<< 553f3d2e8d2ac735c3bdd3ed9c46cb974e89b773:packages/server/src/verification/result.ts
export type VerificationResult =
  /** `limit` is where the key stands after this request; null when it has no limit, or was not counted. */
  { key: VerifiedKey; limit: LimitState | null; refusal?: never } | Rejected;
=======
export type Verdict =
  /** `limit` is the state after this request; null if the key has no limit or the request was not counted. */
  { key: VerifiedKey; limit: LimitState | null; refusal?: never } | Refused;
>>>>>>> 589cbf51e780b025d5652db8b4e5067173dc75fc:packages/server/src/verification/verdict.ts

/**
 * Converts an accepted key to what the caller needs. Called in the turn of the decision, because later the row may
 * belong to another secret.
 *
 * @param limit as above
 */
export type AcceptKey<T> = (keys: KeyTable, row: number, limit: LimitState | null) => T;

/** A value if the key is cached or the database is SQLite, otherwise a promise. */
export type MaybePromise<T> = T | Promise<T>;
export type ResultOrPromise = MaybePromise<VerificationResult>;

<<<<<<< 553f3d2e8d2ac735c3bdd3ed9c46cb974e89b773:packages/server/src/verification/result.ts
/** How a key is used at the moment. */
export interface VerifyOptions {
  /** The client's; unknown keys are limited by it. Absent: they are not limited. */
=======
/** How a key is used in this verification. */
export interface Use {
  /** The IP address of the client, by which invalid keys are limited. Absent: no limit. */
>>>>>>> 589cbf51e780b025d5652db8b4e5067173dc75fc:packages/server/src/verification/verdict.ts
  address?: string | undefined;
  /** The scopes that the key must have: built-in ones, or those of the API behind the gateway. */
  needs?: readonly string[] | undefined;
<<<<<<< 553f3d2e8d2ac735c3bdd3ed9c46cb974e89b773:packages/server/src/verification/result.ts
  /** Why no key may do it, however good it is. */
  denied?: ApiProblem | undefined;
  /** Whoever asks sees the keys of this workspace only; others are unknown to it. Default: the keys of all. */
=======
  /** The rejection if no key is allowed, however valid. */
  denied?: Refusal | undefined;
  /** The only workspace whose keys the caller can see; other keys are unknown. Default: all workspaces. */
>>>>>>> 589cbf51e780b025d5652db8b4e5067173dc75fc:packages/server/src/verification/verdict.ts
  workspaceId?: string | undefined;
  /** Whether this counts against the key's limit. Default: yes. */
  limited?: boolean;
  /** Whether this counts as a use of the key. Default: yes. */
  recorded?: boolean;
}

<<<<<<< 553f3d2e8d2ac735c3bdd3ed9c46cb974e89b773:packages/server/src/verification/result.ts
/** What is asked of a request. */
export interface VerifyRequestOptions extends VerifyOptions {
=======
/** Options for verifying the key of a request. */
export interface Ask extends Use {
>>>>>>> 589cbf51e780b025d5652db8b4e5067173dc75fc:packages/server/src/verification/verdict.ts
  /**
   * Returns the targets of the request that the key was meant for (for forward-auth, the original request, which may
   * be stated more than once). Called only without an Authorization header. Default: the target of the request itself.
   */
  targets?: ((request: IncomingMessage) => readonly string[]) | undefined;
}
