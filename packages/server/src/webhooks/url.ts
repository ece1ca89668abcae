import { isIP } from 'node:net';
import { containsKey, decodePercent } from '@soku/key';
import { RequestError } from '../http/errors.ts';
import { normalizeHost, type ReachableAddresses } from './addresses.ts';

/**
 * Checks the URL of a webhook when it is entered. The addresses of a name are checked at each connection, because they
 * can change.
 *
 * @param prefixes key prefixes
 * @returns the URL in its normal form
 * @throws {RequestError} invalid_request
 */
export function checkWebhookUrl(
  text: string,
  addresses: ReachableAddresses,
  prefixes: readonly string[],
): string {
  const url = new URL(text);
  const problem = findProblem(url, addresses, prefixes);
  if (problem === undefined) return url.href;
  throw new RequestError({
    code: 'invalid_request',
    message: `The field url ${problem}.`,
    details: [{ path: 'url', problem }],
  });
}

/** @returns the problem, which continues a sentence that starts with the field */
function findProblem(
  url: URL,
  addresses: ReachableAddresses,
  prefixes: readonly string[],
): string | undefined {
  if (!['http:', 'https:'].includes(url.protocol)) return 'must start with https://';
  if (`${url.username}${url.password}` !== '') return 'must not contain a user name or a password';
  if (url.hash !== '') return 'must not have a fragment, because it is not sent';
  if (containsKey(decodePercent(url.href), prefixes)) return 'must not contain an API key';
  const isAllowed = addresses.isAllowed(url.hostname);
  if (url.protocol === 'http:' && !isAllowed)
    return 'must start with https://, unless the operator allows this host in SOKU_WEBHOOK_ALLOW';
  const host = normalizeHost(url.hostname);
  if (isIP(host) !== 0 && !addresses.permits(host, host))
    return 'must have a public address, unless the operator allows this one in SOKU_WEBHOOK_ALLOW';
  return undefined;
}
