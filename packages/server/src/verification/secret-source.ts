import type { StoredSecret } from './stored-secret.ts';

/** The result of reading a secret. */
export interface SecretRead {
  /** undefined if no key has this hash. */
  stored: StoredSecret | undefined;
  /**
   * Whether the result may be cached. Call it in the turn in which the result is cached, because a change may have been
   * applied since the read.
   */
  mayCache(): boolean;
}

/** Where the verifier reads secrets that are not cached: synchronously from SQLite, asynchronously from PostgreSQL. */
export interface SecretSource {
  /**
   * Reads committed data. The read starts after the call.
   *
   * @param hash SHA-256 of the whole key, as 32 latin-1 characters
   * @throws (or rejects) if the database does not respond
   */
  read(hash: string): SecretRead | Promise<SecretRead>;
}

/** Whether cached valid keys may be used. */
export interface CacheLease {
  /**
   * Must be cheap, because every verification calls it, in the turn in which it decides.
   *
   * @param now epoch ms
   */
  holds(now: number): boolean;
}
