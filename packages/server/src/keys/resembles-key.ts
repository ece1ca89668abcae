import { containsKey, explainKey, findKeys } from '@soku/key';

/** Separators between the parts of an Authorization header, and quotes that were copied with a key. */
const separators = /[\s"'`<>()[\]{}=:,;$]+/;

/**
 * Whether an Authorization header was meant to contain a Soku key: a key that is complete, truncated, mistyped or
 * without its prefix, or a preview; with or without Bearer, or as the user name or password of Basic. Other tokens,
 * such as a JWT, do not count. Neither does a password that only has the length of a key.
 *
 * @param prefixes the accepted prefixes
 */
export function resemblesKey(authorization: string, prefixes: readonly string[]): boolean {
  return (
    containsKeyOrPrefix(authorization, prefixes) ||
    containsKeyOrPrefix(basicCredentials(authorization), prefixes) ||
    authorization.split(separators).some((word) => isPartOfKey(word, prefixes))
  );
}

/** Whether a text contains a word that starts with a key prefix, or a key that is complete except for its prefix. */
function containsKeyOrPrefix(text: string, prefixes: readonly string[]): boolean {
  if (findKeys(text, prefixes).length > 0) return true;
  const words = text.toLowerCase().split(separators);
  return words.some((word) => prefixes.some((prefix) => word.startsWith(prefix)));
}

/** Whether a word is a preview, or the 32 characters that follow a prefix, one of them mistyped. */
function isPartOfKey(word: string, prefixes: readonly string[]): boolean {
  if (word === '') return false;
  const code = explainKey(word, prefixes)?.code;
  // Hashes and session ids can also have 32 characters, but all of one case.
  return code === 'key_preview' || (code === 'missing_prefix' && containsKey(word, prefixes));
}

/** The decoded `name:password` (RFC 7617); '' for other schemes. */
function basicCredentials(authorization: string): string {
  const [, credentials = ''] = /^\s*basic\s+(\S+)/i.exec(authorization) ?? [];
  return Buffer.from(credentials, 'base64').toString('latin1');
}
