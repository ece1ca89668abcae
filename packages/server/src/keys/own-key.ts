import { containsKey, findKeys } from '@soku/key';

/**
 * Whether a text contains a key of this deployment: a complete one, or the beginning of one with its prefix. Unlike
 * `containsKey`, it permits other random texts: the IDs of customers in other systems can look like keys without a prefix.
 *
 * @param prefixes the accepted prefixes
 */
export function containsOwnKey(text: string, prefixes: readonly string[]): boolean {
  if (findKeys(text, prefixes).length > 0) return true;
  const words = text.split(/\W+/).filter((word) => prefixes.some((prefix) => word.startsWith(prefix)));
  return words.some((word) => containsKey(word, prefixes));
}
