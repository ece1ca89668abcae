import { explainKey, parseKey } from '@soku/key';
import type { ApiProblem } from '../http/errors.ts';
import { maxKeyLength } from './credentials.ts';
import { notAKey, unknownKey } from './rejections.ts';

/** Maximum length of a token of another format, in characters. */
const maxImportedLength = 200;

/** RFC 6750 section 2.1. */
const b64token = /^[A-Za-z0-9._~+/-]+=*$/;

/** For a token of another format, which may not be well formed. */
const unknownToken: ApiProblem = {
  code: 'unknown_key',
  message: 'This key is unknown. It may belong to another deployment, or it has not been imported here.',
};

/** Which tokens can be keys, and why the others cannot. */
export class KeyFormats {
  /** Longer tokens are not keys, in characters. */
  readonly maxLength: number;
  readonly #prefixes: readonly string[];
  readonly #imported: readonly string[];

  /**
   * @param prefixes accepted prefixes of Soku's own format
   * @param imported SOKU_IMPORTED_KEY_PREFIXES: prefixes of imported keys of other formats; `*` is any token
   */
  constructor(prefixes: readonly string[], imported: readonly string[]) {
    this.#prefixes = prefixes;
    this.#imported = imported.map((prefix) => (prefix === '*' ? '' : prefix));
    this.maxLength = imported.length === 0 ? maxKeyLength : maxImportedLength;
  }

  /** Whether the database may have a token. Other formats have no checksum, so only a lookup can decide. */
  includes(token: string): boolean {
    return parseKey(token, this.#prefixes) !== null || this.#mayBeImported(token);
  }

  #mayBeImported(token: string): boolean {
    return (
      token.length <= this.maxLength &&
      this.#imported.some((prefix) => token.startsWith(prefix)) &&
      b64token.test(token)
    );
  }

  /** Why a token that is not included is not a key. */
  explain(token: string): ApiProblem {
    return explainKey(token, this.#prefixes) ?? notAKey;
  }

  /**
   * Why a token that the database does not have is rejected. One that starts like a key of Soku's own format was meant to
   * be one, even if it could be an imported key.
   */
  explainUnknown(token: string): ApiProblem {
    if (!this.#prefixes.some((prefix) => token.startsWith(prefix))) return unknownToken;
    return explainKey(token, this.#prefixes) ?? unknownKey;
  }
}
