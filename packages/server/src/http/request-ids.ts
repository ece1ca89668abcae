import { randomBytes } from 'node:crypto';

/** Unique for each process, so that ids of two of them never meet in one log. */
const start = randomBytes(6).toString('hex');
let count = 0;

/**
 * The id of the next request: short, unique, and cheap enough for the hot path. It is never taken from the
 * client, who could forge another request's id or break a log line with it.
 */
export function nextRequestId(): string {
  count += 1;
  return `req_${start}${count.toString(36).padStart(4, '0')}`;
}
