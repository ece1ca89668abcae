import { createPublicKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';

/**
 * In ms. A hung server must not hold reports. The pauses between fetches bound what strangers can cause with unknown
 * IDs: GitHub allows 60 fetches an hour from one IP address.
 */
const times = { timeout: 5000, pause: 60_000, pauseWhileFresh: 300_000, fresh: 3_600_000 };

/** Maximum size of the list, in bytes. GitHub's has about 1 kB. */
const maxBytes = 100_000;

const listSchema = z.object({
  public_keys: z.array(z.object({ key_identifier: z.string().min(1), key: z.string() })).max(100),
});

interface Options {
  url: string;
  /** Monotonic ms. */
  monotonic?: () => number;
  /** Called with the error of each failed fetch, of which there is at most one a minute. */
  failed: (error: unknown) => void;
}

/**
 * The public keys with which GitHub signs its reports. They are fetched when a report names an unknown one (at most
 * every five minutes) or when they are an hour old, so that a withdrawn key is removed (at most every minute). While a
 * fetch fails, the keys of the last successful one stay valid.
 */
export class GithubKeys {
  readonly #options: Options;
  readonly #monotonic: () => number;
  #keys: ReadonlyMap<string, KeyObject> = new Map();
  /** Monotonic ms of the start of the last fetch, and of the last successful one. */
  #tried = Number.NEGATIVE_INFINITY;
  #fetched = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | undefined;

  constructor(options: Options) {
    this.#options = options;
    this.#monotonic = options.monotonic ?? (() => performance.now());
  }

  /**
   * @returns 'unknown' if a list that was fetched during this call does not have the key. 'unavailable' if the list
   *   could not be fetched, or not again so soon: GitHub may have added the key since, and signed a report with it.
   */
  async find(id: string): Promise<KeyObject | 'unknown' | 'unavailable'> {
    const asked = this.#monotonic();
    if (!(this.#isFresh() && this.#keys.has(id))) await this.#fetch();
    return this.#keys.get(id) ?? (this.#fetched >= asked ? 'unknown' : 'unavailable');
  }

  /** Seconds until the list can be fetched again. */
  retryAfter(): number {
    const passed = this.#monotonic() - this.#tried;
    return Math.max(1, Math.ceil((this.#pause() - passed) / 1000));
  }

  #isFresh(): boolean {
    return this.#monotonic() - this.#fetched < times.fresh;
  }

  #pause(): number {
    return this.#isFresh() ? times.pauseWhileFresh : times.pause;
  }

  /** Concurrent calls share one fetch. */
  async #fetch(): Promise<void> {
    const now = this.#monotonic();
    if (this.#fetching === undefined) {
      if (now - this.#tried < this.#pause()) return;
      this.#tried = now;
      this.#fetching = this.#replace(now).finally(() => {
        this.#fetching = undefined;
      });
    }
    await this.#fetching;
  }

  async #replace(now: number): Promise<void> {
    try {
      this.#keys = parseList(await download(this.#options.url));
      this.#fetched = now;
    } catch (error) {
      this.#options.failed(error);
    }
  }
}

/** @throws when the response is not 200, too large, or too late */
async function download(url: string): Promise<string> {
  const response = await fetch(url, {
    redirect: 'error',
    headers: { accept: 'application/json', 'user-agent': 'soku' },
    signal: AbortSignal.timeout(times.timeout),
  });
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    throw new Error(`the public keys of GitHub: status ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.length;
    // Leaving the loop cancels the download.
    if (size > maxBytes) throw new Error(`the public keys of GitHub: more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/**
 * Keys of other kinds are left out, because GitHub's are ECDSA keys on P-256.
 *
 * @throws if there is no other
 */
function parseList(text: string): Map<string, KeyObject> {
  const keys = new Map<string, KeyObject>();
  for (const { key_identifier: id, key: pem } of listSchema.parse(JSON.parse(text)).public_keys) {
    const key = parseKey(pem);
    if (key?.asymmetricKeyDetails?.namedCurve === 'prime256v1') keys.set(id, key);
  }
  if (keys.size === 0) throw new Error('the public keys of GitHub: none is an ECDSA key on P-256');
  return keys;
}

/** @returns undefined for one that Node does not support */
function parseKey(pem: string): KeyObject | undefined {
  try {
    return createPublicKey(pem);
  } catch {
    return undefined;
  }
}
