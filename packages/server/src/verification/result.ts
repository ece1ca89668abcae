import type { IncomingMessage } from 'node:http';
import type { Environment } from '@soku/contract/key-policy';
import type { ApiProblem } from '../http/errors.ts';
import type { LimitState } from '../limits/sliding-window.ts';
import type { KeyTable } from './key-table.ts';
import type { VerifiedKey } from './stored-secret.ts';

/** A rejected key. `limit` is set if a valid key is over its limit. */
export interface Rejected {
  key?: never;
  limit?: LimitState;
  problem: ApiProblem;
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

/**
 * An IP address has sent too many invalid keys. The rejection is returned a little later, so that a client that sends
 * its next guess after each response takes little time from others.
 */
export class DelayedRejection {
  readonly rejected: Rejected;

  constructor(rejected: Rejected) {
    this.rejected = rejected;
  }
}

export type VerificationResult =
  /** `limit` is the state after this request; null if the key has no limit or the request was not counted. */
  { key: VerifiedKey; secretHash: Uint8Array; limit: LimitState | null; problem?: never } | Rejected;

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

/** How a key is used in this verification. */
export interface VerifyOptions {
  /**
   * The IP address of the client, by which invalid keys are limited. Absent: no limit, and keys with allowed addresses
   * are rejected.
   */
  address?: string | undefined;
  /** The environment that the key must have, besides that of the verifier. */
  environment?: Environment | undefined;
  /** The scopes that the key must have: built-in ones, or those of the API behind the gateway. */
  needs?: readonly string[] | undefined;
  /** The rejection if no key is allowed, however valid. */
  denied?: ApiProblem | undefined;
  /** The only workspace whose keys the caller can see; other keys are unknown. Default: all workspaces. */
  workspaceId?: string | undefined;
  /** Whether this counts against the key's limit. Default: yes. */
  limited?: boolean;
  /** Whether this counts as a use of the key. Default: yes. */
  recorded?: boolean;
  /** Whether a recorded use of a new secret starts the grace period of older ones. Default: yes. */
  startsGrace?: boolean;
}

/** A use of a new secret that starts the grace period of older ones. */
export interface FirstUse {
  keyId: string;
  /** SHA-256 of the secret, as 32 latin-1 characters. */
  hash: string;
  /** Epoch ms. */
  at: number;
}

/** Options for verifying the key of a request. */
export interface VerifyRequestOptions extends VerifyOptions {
  /**
   * Returns the targets of the request that the key was meant for (for forward-auth, the original request, which may
   * be stated more than once). Called only without an Authorization header. Default: the target of the request itself.
   */
  targets?: ((request: IncomingMessage) => readonly string[]) | undefined;
}

/** The outcome of a verification: the converted key, or why there is none. */
export type VerifierOutcome<T> = T | Rejected | NeedsGrant | DelayedRejection;

/** One verification: its options, and the conversion of an accepted key. */
export interface KeyVerification<T> {
  options: VerifyOptions;
  userAgent: string;
  accept: AcceptKey<T>;
  /** The request with the key. Absent if a back end received the key, and states the client address itself. */
  request?: IncomingMessage;
}
