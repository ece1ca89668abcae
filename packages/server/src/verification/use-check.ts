import type { IncomingMessage } from 'node:http';
import type { Environment } from '@soku/contract/key-policy';
import type { ApiProblem } from '../http/errors.ts';
import { checkPolicy } from './check-policy.ts';
import type { KeyTable } from './key-table.ts';
import { wrongEnvironment } from './rejections.ts';
import type { KeyVerification } from './result.ts';
import type { VerifierOptions } from './verifier-options.ts';

type Options = Pick<VerifierOptions, 'environment' | 'isClientHidden'>;
type Use = Pick<KeyVerification<unknown>, 'options' | 'request'>;

/**
 * Checks whether the policy of a cached key permits a use. `checkPolicy` decides, but most uses can be accepted from the
 * flags of the row and what passed before, without an object of the policy.
 */
export class UseCheck {
  readonly #keys: KeyTable;
  readonly #environment: Environment | 'any';
  readonly #isClientHidden: Options['isClientHidden'];

  /** @param keys the valid ones. Their uses are recorded only after this check */
  constructor(keys: KeyTable, { environment = 'live', isClientHidden }: Options) {
    this.#keys = keys;
    this.#environment = environment;
    this.#isClientHidden = isClientHidden;
  }

  /** @param now epoch ms. @returns the rejection; undefined if the use is permitted */
  reject(row: number, use: Use, now: number): ApiProblem | undefined {
    if (this.#passes(row, use, now)) return undefined;
    return this.#decide(row, use, now);
  }

  /** Whether a use certainly passes. It never passes if `checkPolicy` rejects it, and allocates nothing. */
  #passes(row: number, { options, request }: Use, now: number): boolean {
    const { needs, denied, environment, address } = options;
    if (denied !== undefined || environment !== undefined) return false;
    const keys = this.#keys;
    if (keys.end(row) <= now) return false;
    if (this.#environment === 'test' || keys.details.isRestricted(row)) {
      if (!this.#passesRestrictions(row, address, request)) return false;
    }
    return needs === undefined || keys.details.covers(row, needs);
  }

  #passesRestrictions(
    row: number,
    address: string | undefined,
    request: IncomingMessage | undefined,
  ): boolean {
    const { details, usage } = this.#keys;
    if (details.isDisabled(row)) return false;
    if (this.#environment !== 'any' && details.environment(row) !== this.#environment) return false;
    const { allowedAddresses } = details.access(row);
    if (allowedAddresses === null) return true;
    if (address === undefined || this.#isHidden(request)) return false;
    // A change of the key frees its row, so its last accepted use was permitted by the same addresses.
    return usage.wasLastAcceptedFrom(row, address) || allowedAddresses.has(address);
  }

  #decide(row: number, { options, request }: Use, now: number): ApiProblem | undefined {
    const policy = this.#keys.policy(row);
    const { needs, denied, environment } = options;
    const isHidden = policy.allowedAddresses !== null && this.#isHidden(request);
    const address = isHidden ? undefined : options.address;
    const problem = checkPolicy(policy, { address, environment: this.#environment, needs, denied }, now);
    if (problem !== undefined || environment === undefined || environment === policy.environment)
      return problem;
    return wrongEnvironment(policy.environment);
  }

  /** Whether the address of the client is unknown, because that of the request belongs to a proxy. */
  #isHidden(request: IncomingMessage | undefined): boolean {
    return request !== undefined && this.#isClientHidden?.(request) === true;
  }
}
