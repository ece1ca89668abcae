import type { IncomingMessage } from 'node:http';
import type { ApiProblem } from '../http/errors.ts';
import type { AddressLimits } from '../limits/address-limits.ts';
import { readCredentials, requestTarget } from './credentials.ts';
import { hashSecret } from './hash-words.ts';
import type { KeyFormats } from './key-formats.ts';
import { limitAddress } from './limit-address.ts';
import { guessCodes, verificationUnavailable } from './rejections.ts';
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
    const credentials = readCredentials(readFields(request.rawHeaders), request, requestTarget, prefixes);
    if ('code' in credentials) return this.#reject(credentials, address, now);
    const { token } = credentials;
    const hash = token.length > formats.maxLength ? undefined : hashSecret(token);
    let stored: StoredSecret | undefined;
    try {
      stored = hash === undefined ? undefined : (await this.#options.secrets.read(hash)).stored;
    } catch (error) {
      this.#options.failed(error);
      return this.#reject(verificationUnavailable, address, now);
    }
    if (hash === undefined || stored === undefined) {
      const mayBeKey = formats.includes(token);
      return this.#reject(mayBeKey ? formats.explainUnknown(token) : formats.explain(token), address, now);
    }
    if ('ended' in stored) {
      const limited = limitAddress(this.#options, address, now);
      if (limited !== undefined) return this.#reject(limited, address, now);
    }
    const { keyId, workspaceId } = 'key' in stored ? stored.key : stored.ended;
    return { hash: Buffer.from(hash, 'latin1'), keyId, workspaceId };
  }

  #reject(problem: ApiProblem, address: string, now: number): { problem: ApiProblem } {
    const limited = guessCodes.has(problem.code) ? limitAddress(this.#options, address, now) : undefined;
    this.#options.counts.recordRejection((limited ?? problem).code);
    return { problem: limited ?? problem };
  }
}
