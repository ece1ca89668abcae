import { coversScope } from '@soku/contract/scopes';
import type { AllowedAddresses } from './allowed-addresses.ts';
import { InternedStrings } from './interned-strings.ts';

/** The scopes and the allowed addresses of keys. */
export interface Access {
  /** Separated by spaces. */
  scopeText: string;
  scopes: readonly string[];
  /** null means all. */
  allowedAddresses: AllowedAddresses | null;
  /** The scopes that were last found to be covered. Most requests to an API require the same, as one array. */
  covered: readonly string[] | undefined;
}

const noAccess: Access = { scopeText: '', scopes: [], allowedAddresses: null, covered: undefined };

/** Whether the scopes of an access cover all of the required ones. @param needs never changed by the caller */
export function coversAll(access: Access, needs: readonly string[]): boolean {
  if (access.covered === needs) return true;
  for (const scope of needs) if (!coversScope(access.scopes, scope)) return false;
  access.covered = needs;
  return true;
}

/**
 * Stores equal access once: many keys have the same, and a verification reads few cache lines of the processor if it is
 * the same object for all of them.
 */
export class SharedAccess {
  readonly #texts = new InternedStrings();
  /** By the number of the text. */
  readonly #parsed: (Access | undefined)[] = [noAccess];

  /** Number of different entries. */
  get size(): number {
    return this.#texts.size;
  }

  /** Adds a use. @returns its number; 0 is that of a key without scopes that may be used anywhere */
  acquire(scopes: readonly string[], allowedAddresses: AllowedAddresses | null): number {
    const scopeText = scopes.join(' ');
    const number = this.#texts.acquire(
      allowedAddresses === null ? scopeText : `${scopeText}\n${allowedAddresses.stored}`,
    );
    this.#parsed[number] ??= { scopeText, scopes, allowedAddresses, covered: undefined };
    return number;
  }

  /** Removes a use. */
  release(number: number): void {
    this.#texts.release(number);
    if (number !== 0 && this.#texts.text(number) === '') this.#parsed[number] = undefined;
  }

  of(number: number): Access {
    const access = this.#parsed[number];
    if (access === undefined) throw new Error('the access of a key is missing');
    return access;
  }
}
