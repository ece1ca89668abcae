import type { ErrorCode } from '@soku/contract/error-codes';
import type { RefusedBy } from '@soku/contract/usage';
import { capitalize } from '../../components/sentence.ts';

/** Short names of the codes with which requests with a known key are rejected. */
const names: ReadonlyMap<string, string> = new Map<ErrorCode, string>([
  ['revoked_key', 'Revoked'],
  ['expired_key', 'Expired'],
  ['insufficient_scope', 'Missing scope'],
  ['rate_limited', 'Rate limit'],
]);

export interface Reason {
  name: string;
  /** A section of the troubleshooting page; undefined if it does not have one. */
  code: string | undefined;
  count: number;
}

/**
 * Why requests were rejected, the most frequent reason first. A newer version may have recorded a code that this one
 * does not know.
 */
export function reasonsOf(refusedBy: RefusedBy): Reason[] {
  return Object.entries(refusedBy)
    .map(([code, count]) => ({
      name: names.get(code) ?? capitalize(code.replaceAll('_', ' ')),
      code: names.has(code) ? code : undefined,
      count,
    }))
    .sort((a, b) => b.count - a.count);
}
