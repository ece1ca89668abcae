import type { StoredSecret } from './known-secret.ts';

/** What was read of a secret. */
export interface Read {
  /** undefined when no key ever had this hash. */
  stored: StoredSecret | undefined;
  /**
   * Whether it may be remembered. Asked in the turn in which it would be, because a change that came after the read
   * may have been applied meanwhile.
   */
  mayKeep(): boolean;
}

/** Where the verifier reads what it does not remember: synchronously from SQLite, in its own time from PostgreSQL. */
export interface SecretSource {
  /**
   * Reads what is committed; the read is sent after the call.
   *
   * @param hash SHA-256 of the whole key, as 32 latin-1 characters
   * @throws (or rejects) when the database does not answer
   */
  read(hash: string): Read | Promise<Read>;
}

/** Whether what is remembered of a good key may be answered from. */
export interface CacheLease {
  /**
   * A few comparisons of numbers: it is asked by every verification, in the turn in which it decides.
   *
   * @param now epoch ms
   */
  holds(now: number): boolean;
}
