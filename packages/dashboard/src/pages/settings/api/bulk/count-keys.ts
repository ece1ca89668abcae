import { formatNumber } from '../../../../components/format-number.ts';

/** "1 key" or "1,204 keys" */
export function formatKeyCount(count: number): string {
  return count === 1 ? '1 key' : `${formatNumber(count)} keys`;
}

/** "no requests", "1 request" or "1,204 requests" */
export function formatRequestCount(count: number): string {
  if (count === 0) return 'no requests';
  return count === 1 ? '1 request' : `${formatNumber(count)} requests`;
}
