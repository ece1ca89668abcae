import { createPublicKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';

/** ms: a hung server must not hold reports, and the pace of fetches bounds what strangers can cause with unknown IDs. */
const times = { timeout: 5000, betweenFetches: 60_000, refresh: 3_600_000 };

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
 * The public keys with which GitHub signs its reports. They are fetched when a report names an unknown one or when they
 * are an hour old, so that a withdrawn key is forgotten; at most once a minute in all. While a fetch fails, the keys of
 * the last successful one stay valid.
 */
export class GithubKeys {
  readonly #options: Options;
  readonly #monotonic: () => number;
  #keys: ReadonlyMap<string, KeyObject> = new Map();
  /** Monotonic ms of the start of the last fetch, and of the last successful one. */
  #tried = Number.NEGATIVE_INFINITY;
  #fetched = Number.NEGATIVE_INFINITY;
  #isFailing = false;
  #fetching: Promise<void> | undefined;

  constructor(options: Options) {
    this.#options = options;
    this.#monotonic = options.monotonic ?? (() => performance.now());
  }

  /** @returns 'unavailable' if the key may exist, but the list cannot be fetched now */
  async find(id: string): Promise<KeyObject | 'unknown' | 'unavailable'> {
    const isStale = this.#monotonic() - this.#fetched >= times.refresh;
    if (isStale || !this.#keys.has(id)) await this.#fetch();
    return this.#keys.get(id) ?? (this.#isFailing ? 'unavailable' : 'unknown');
  }

  /** Concurrent calls share one fetch. */
  async #fetch(): Promise<void> {
    const now = this.#monotonic();
    if (this.#fetching === undefined) {
      if (now - this.#tried < times.betweenFetches) return;
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
      this.#isFailing = false;
    } catch (error) {
      this.#isFailing = true;
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

/** Keys of other kinds are left out, because GitHub's are ECDSA keys on P-256. */
function parseList(text: string): Map<string, KeyObject> {
  const keys = new Map<string, KeyObject>();
  for (const { key_identifier: id, key: pem } of listSchema.parse(JSON.parse(text)).public_keys) {
    const key = createPublicKey(pem);
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') keys.set(id, key);
  }
  return keys;
}
