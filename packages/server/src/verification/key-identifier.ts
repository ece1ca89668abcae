import type { IncomingMessage } from 'node:http';
import type { ApiProblem } from '../http/errors.ts';
import type { AddressLimits } from '../limits/address-limits.ts';
import { readCredentials } from './credentials.ts';
import { hashOf } from './hash-words.ts';
import type { KeyFormats } from './key-formats.ts';
import { guessCodes, rateLimited, verificationUnavailable } from './rejections.ts';
import { readFields } from './request-fields.ts';
import type { SecretSource } from './secret-source.ts';
import type { StoredSecret } from './stored-secret.ts';
import type { VerificationCounts } from './verification-counts.ts';

interface Options {
  secrets: SecretSource;
  prefixes: readonly string[];
  /** Which tokens can be keys. */
  formats: KeyFormats;
  addressLimits: AddressLimits;
  counts: Pick<VerificationCounts, 'recordRejection' | 'limited'>;
  failed: (error: unknown) => void;
}

/** The secret that a request holds, and its key. */
export interface IdentifiedSecret {
  problem?: never;
  hash: Uint8Array;
  keyId: string;
  workspaceId: string;
}

/**
 * Finds the key of a request in whatever state it is: revoked, expired, disabled, over its limit, or not allowed at this
 * address. Only for what the holder of any of these may do. It always reads the database.
 */
export class KeyIdentifier {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /**
   * @param address the client's, by which wrong keys are limited, and repeated calls with one that has ended
   * @param now epoch ms
   * @returns the secret, or why it is rejected
   */
  async identify(
    request: IncomingMessage,
    address: string,
    now: number,
  ): Promise<IdentifiedSecret | { problem: ApiProblem }> {
    const { prefixes, formats } = this.#options;
    const target = [request.url ?? '/'];
    const credentials = readCredentials(readFields(request.rawHeaders), request, () => target, prefixes);
    if ('code' in credentials) return this.#reject(credentials, address, now);
    const { token } = credentials;
    const hash = token.length > formats.maxLength ? undefined : hashOf(token);
    let stored: StoredSecret | undefined;
    try {
      stored = hash === undefined ? undefined : (await this.#options.secrets.read(hash)).stored;
    } catch (error) {
      this.#options.failed(error);
      return this.#reject(verificationUnavailable, address, now);
    }
    if (hash === undefined || stored === undefined) {
      return this.#reject(explainUnknown(token, formats), address, now);
    }
    if ('ended' in stored) {
      const problem = this.#limit(address, now);
      if (problem !== undefined) return this.#reject(problem, address, now);
    }
    const { keyId, workspaceId } = 'key' in stored ? stored.key : stored.ended;
    return { hash: Buffer.from(hash, 'latin1'), keyId, workspaceId };
  }

  #reject(problem: ApiProblem, address: string, now: number): { problem: ApiProblem } {
    const limited = guessCodes.has(problem.code) ? this.#limit(address, now) : undefined;
    this.#options.counts.recordRejection((limited ?? problem).code);
    return { problem: limited ?? problem };
  }

  /** Counts a request against the limit of the address. */
  #limit(address: string, now: number): ApiProblem | undefined {
    const limit = this.#options.addressLimits.consume(address, now);
    if (limit === null || limit.passed) return undefined;
    this.#options.counts.limited.address += 1;
    return rateLimited(limit);
  }
}

/** Why a token that the database does not have is rejected. */
function explainUnknown(token: string, formats: KeyFormats): ApiProblem {
  return formats.includes(token) ? formats.explainUnknown(token) : formats.explain(token);
}
