import { isIP, type LookupFunction } from 'node:net';
import { performance } from 'node:perf_hooks';
import { redactKeys } from '@soku/key';
import { Agent, type Dispatcher, request } from 'undici';
import { normalizeHost, type ReachableAddresses } from './addresses.ts';
import { NameResolver, nameNotFoundCode, type ResolvedAddress } from './name-resolver.ts';

/** Bytes of a response that are read and stored. */
const maxStored = 1024;

/** In bytes. */
const maxHeaders = 16 * 1024;

interface Options {
  addresses: ReachableAddresses;
  /** ms for a request, from the resolution of its host to the end of the response. */
  timeout: number;
  /** Resolves a host name. Default: NameResolver. */
  resolve?: (hostname: string) => Promise<readonly ResolvedAddress[]>;
  /** Name servers for NameResolver. */
  servers?: readonly string[];
}

/** The result of one attempt to send a request. */
export interface AttemptResult {
  durationMs: number;
  /** null if there was no response. */
  status: number | null;
  /** The start of the response. */
  body: string | null;
  /** null if the receiver accepted the request. */
  error: string | null;
}

/** Codes of c-ares for a name whose servers did not respond, or responded with an error. */
const unresolved = new Set(['ETIMEOUT', 'ECANCELLED', 'ESERVFAIL', 'EREFUSED']);

/** A URL to which the server sends nothing. */
class Refused extends Error {
  override readonly name = 'Refused';
}

/**
 * Sends requests of webhooks, only to addresses that are permitted. They are checked when the connection is opened, and
 * it is opened to the address that was checked, so a name that resolves to another address a moment later (DNS
 * rebinding) has no effect. Redirects are not followed.
 */
export class WebhookSender {
  readonly #options: Options;
  readonly #names: NameResolver;
  readonly #agent: Agent;

  constructor(options: Options) {
    this.#options = options;
    const { addresses, timeout, servers } = options;
    // A third, so that time is left for a connection if only one of the two queries for a name is answered.
    this.#names = new NameResolver({ addresses, timeout: timeout / 3, servers });
    const { resolve = (hostname) => this.#names.resolve(hostname) } = options;
    this.#agent = new Agent({
      allowH2: false,
      connect: { lookup: createLookup(addresses, resolve), timeout },
      maxHeaderSize: maxHeaders,
      // The signal of each request covers all of it.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /**
   * Sends one request. It never throws.
   *
   * @param stopping aborts the request when the server stops
   */
  async send(
    { url, headers, body }: { url: string; headers: Record<string, string>; body: string },
    stopping: AbortSignal,
  ): Promise<AttemptResult> {
    const started = performance.now();
    const outcome = (rest: Omit<AttemptResult, 'durationMs'>): AttemptResult => ({
      durationMs: Math.round(performance.now() - started),
      ...rest,
    });
    const timeout = AbortSignal.timeout(this.#options.timeout);
    const signal = AbortSignal.any([stopping, timeout]);
    let status: number | null = null;
    try {
      this.#check(url);
      const response = await request(url, { dispatcher: this.#agent, method: 'POST', headers, body, signal });
      status = response.statusCode;
      return outcome({ status, body: await this.#readStart(response), error: explainStatus(status) });
    } catch (error) {
      return outcome({ status, body: null, error: explainError(error, timeout, this.#options.timeout) });
    }
  }

  /** Closes all connections, and ends the resolution of names, which requests that were aborted may have left. */
  async close(): Promise<void> {
    this.#names.close();
    await this.#agent.destroy();
  }

  /**
   * Checks what the lookup does not: an address in the URL, which is not looked up, and the scheme, because the operator
   * may have allowed the host when the webhook was created, and no longer does.
   */
  #check(url: string): void {
    const { addresses } = this.#options;
    const { hostname, protocol } = new URL(url);
    const host = normalizeHost(hostname);
    if (isIP(host) !== 0 && !addresses.permits(host, host)) throw unreachable(host);
    if (protocol !== 'https:' && !addresses.isAllowed(hostname))
      throw new Refused(
        'The URL must start with https://, unless the operator allows its host in SOKU_WEBHOOK_ALLOW.',
      );
  }

  /** Reads the start of a response. If the rest is missing or too slow, the status still counts. */
  async #readStart({ body }: Dispatcher.ResponseData): Promise<string> {
    const chunks: Buffer[] = [];
    let length = 0;
    try {
      for await (const chunk of body) {
        const bytes = Buffer.from(chunk);
        chunks.push(bytes.subarray(0, maxStored - length));
        length += bytes.length;
        // Leaving the loop closes the connection, so a receiver cannot make the server read more.
        if (length >= maxStored) break;
      }
    } catch {
      // What has arrived is stored.
    }
    const text = new TextDecoder().decode(Buffer.concat(chunks));
    // PostgreSQL cannot store NUL.
    return redactKeys(redactSigning(text)).replaceAll('\0', '\ufffd');
  }
}

/**
 * Removes signing secrets and signatures that a receiver repeats. They are base64, in which redactKeys may find no run
 * that is long enough. JSON of some programs has a backslash before a slash.
 */
function redactSigning(text: string): string {
  return text.replace(/whsec_[^\s"'<>]+|v1,[\w+/=\\]+/g, (found) =>
    found.startsWith('v1,') ? 'v1,[redacted]' : 'whsec_[redacted]',
  );
}

/** Resolves names for connections. All addresses of a name must be permitted, not only the first. */
function createLookup(
  addresses: ReachableAddresses,
  resolve: NonNullable<Options['resolve']>,
): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname).then(
      (all) => {
        const [first] = all;
        if (first === undefined || all.some(({ address }) => !addresses.permits(hostname, address)))
          callback(unreachable(hostname), '', 0);
        else if (options.all === true) callback(null, [...all]);
        else callback(null, first.address, first.family);
      },
      (error) => callback(error.code === nameNotFoundCode ? unreachable(hostname) : error, '', 0),
    );
  };
}

/**
 * The host has no address, or one that is not public. The message is the same for both, so that members of a workspace do
 * not learn which names exist in an internal network.
 */
function unreachable(host: string): Refused {
  return new Refused(`${host} has no public address. The operator can allow it in SOKU_WEBHOOK_ALLOW.`);
}

/** @returns null for a success */
function explainStatus(status: number): string | null {
  if (status >= 200 && status < 300) return null;
  if (status >= 300 && status < 400)
    return `The receiver responded with ${status}. Redirects are not followed.`;
  return `The receiver responded with ${status} instead of 2xx.`;
}

function explainError(error: unknown, timeout: AbortSignal, ms: number): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  for (const one of [error, cause]) if (one instanceof Refused) return one.message;
  if (timeout.aborted) return `The receiver did not respond within ${ms / 1000} seconds.`;
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
  if (unresolved.has(code)) return `The name servers of the host did not answer (${code}).`;
  return `The connection failed (${code}).`;
}
