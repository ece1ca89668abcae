import { containsKey, explainKey, findKeys } from '@soku/key';

/** Separators of the parts of an Authorization header, and quotes that were copied with a key. */
const separators = /[\s"'`<>()[\]{}=:,;$]+/;

/**
 * Whether an Authorization header was meant to contain one of our keys: a key that is complete or truncated, mistyped
 * or without its prefix, or a preview; with or without Bearer, or as the user name or the password of Basic. Other
 * tokens, such as a JWT, do not count, nor does a password that only has the length of a key.
 *
 * @param prefixes the accepted ones
 */
export function resemblesKey(authorization: string, prefixes: readonly string[]): boolean {
  return (
    holdsKey(authorization, prefixes) ||
    holdsKey(basicCredentials(authorization), prefixes) ||
    authorization.split(separators).some((word) => isPartOfKey(word, prefixes))
  );
}

/** Whether a word starts with a key prefix, or is a complete key except for its prefix. */
function holdsKey(text: string, prefixes: readonly string[]): boolean {
  if (findKeys(text, prefixes).length > 0) return true;
  const words = text.toLowerCase().split(separators);
  return words.some((word) => prefixes.some((prefix) => word.startsWith(prefix)));
}

/** Whether a word is a preview, or has the 32 characters that follow a prefix, one of them mistyped. */
function isPartOfKey(word: string, prefixes: readonly string[]): boolean {
  if (word === '') return false;
  const code = explainKey(word, prefixes)?.code;
  // Hashes and session ids can have 32 characters, too, but all of one case.
  return code === 'key_preview' || (code === 'missing_prefix' && containsKey(word, prefixes));
}

/** `name:password` of RFC 7617; '' for other schemes. */
function basicCredentials(authorization: string): string {
  const [, credentials = ''] = /^\s*basic\s+(\S+)/i.exec(authorization) ?? [];
  return Buffer.from(credentials, 'base64').toString('latin1');
}
