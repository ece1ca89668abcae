import type { Refusal } from '../http/errors.ts';
import type { KeyWindow } from '../limits/key-limits.ts';
import type { SecretUsage } from '../usage/recorder.ts';
import type { VerifiedKey } from './known-secret.ts';
import { type Cached, SecretCache } from './secret-cache.ts';

/**
 * What is remembered of a secret that is good, or was when it was read. It is one object with the key in it: with a
 * million of them in memory nearly every object that a verification touches has to be fetched from afar.
 */
export interface GoodSecret extends VerifiedKey, Cached {
  hash: string;
  workspace: WorkspaceMark;
  window: KeyWindow | undefined;
  usage: SecretUsage | undefined;
}

/** Shared by all secrets of a workspace, so that all are out of date at once, however many there are. */
interface WorkspaceMark {
  outOfDate: boolean;
}

/** What is remembered of a secret that is none. Neither kind ever becomes good: see SecretMemory. */
export interface BadSecret extends Cached {
  refusal: Refusal;
  /** Of a revoked key; undefined when no key has this hash. */
  keyId: string | undefined;
  /** Likewise. */
  workspaceId: string | undefined;
  hash: string;
  usage: SecretUsage | undefined;
}

interface Bounds {
  /** How many good secrets to keep. */
  good: number;
  /** How many unknown and revoked ones. */
  refused: number;
}

/** What verification remembers, by the SHA-256 of the key as 32 latin-1 characters. */
export class SecretMemory {
  /** Holds only keys that are not revoked. */
  #good: SecretCache<GoodSecret>;
  /**
   * Hashes of no key and of revoked keys, bounded apart so that guessing evicts nobody. A revoked key stays so, and
   * a hash without a key stays so, because a new key is random and was sent by nobody before it was made.
   */
  #bad: SecretCache<BadSecret>;
  /** By workspace id, of the secrets that are up to date. */
  readonly #workspaces = new Map<string, WorkspaceMark>();
  readonly #bounds: Bounds;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
    this.#good = new SecretCache(bounds.good);
    this.#bad = new SecretCache(bounds.refused);
  }

  get sizes(): { good: number; refused: number } {
    return { good: this.#good.size, refused: this.#bad.size };
  }

  good(hash: string): GoodSecret | undefined {
    const secret = this.#good.get(hash);
    return secret === undefined || secret.workspace.outOfDate ? undefined : secret;
  }

  bad(hash: string): BadSecret | undefined {
    return this.#bad.get(hash);
  }

  /** @param keep whether it is remembered, or only wanted for the one verification that read it */
  rememberGood(hash: string, key: VerifiedKey, keep: boolean): GoodSecret {
    const secret = {
      ...key,
      hash,
      workspace: this.#markOf(key.workspaceId),
      window: undefined,
      usage: undefined,
      used: false,
    };
    if (keep) this.#good.set(hash, secret);
    return secret;
  }

  /** @param keep as above */
  rememberBad(
    hash: string,
    refusal: Refusal,
    of: { keyId: string; workspaceId: string } | undefined,
    keep: boolean,
  ): BadSecret {
    const secret = {
      refusal,
      keyId: of?.keyId,
      workspaceId: of?.workspaceId,
      hash,
      usage: undefined,
      used: false,
    };
    this.#good.delete(hash);
    if (keep) this.#bad.set(hash, secret);
    return secret;
  }

  /**
   * Forgets secrets, so that their next use reads the database. Whoever commits or applies a change of a key calls
   * this in the same synchronous turn.
   */
  forget(hashes: Iterable<Uint8Array>): void {
    for (const hash of hashes) {
      const key = Buffer.from(hash).toString('latin1');
      this.#good.delete(key);
      this.#bad.delete(key);
    }
  }

  /** Forgets all secrets of a workspace, whose settings have changed, in the turn of the commit. */
  forgetWorkspace(workspaceId: string): void {
    const mark = this.#workspaces.get(workspaceId);
    if (mark !== undefined) mark.outOfDate = true;
    this.#workspaces.delete(workspaceId);
  }

  /** Forgets everything, when it is not known what has changed. */
  empty(): void {
    this.#good = new SecretCache(this.#bounds.good);
    this.#bad = new SecretCache(this.#bounds.refused);
    this.#workspaces.clear();
  }

  #markOf(workspaceId: string): WorkspaceMark {
    const known = this.#workspaces.get(workspaceId);
    if (known !== undefined) return known;
    const mark = { outOfDate: false };
    this.#workspaces.set(workspaceId, mark);
    return mark;
  }
}
