import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { redactKeys } from '@soku/key';

/** Unique for each process, so that ids of two of them never meet in one log. */
const start = randomBytes(6).toString('hex');

/** The last two characters of ids: all there are, made once, because writing out a number is slow on the hot path. */
const ends = Array.from({ length: 36 ** 2 }, (_, i) => i.toString(36).padStart(2, '0'));

let begun = 0;
let beginning = '';
let next = ends.length;

/**
 * The id of the next request: short, unique, and cheap enough for the hot path. It is never taken from the
 * client, who could forge another request's id or break a log line with it.
 */
export function nextRequestId(): string {
  if (next === ends.length) {
    next = 0;
    beginning = `req_${start}${begun.toString(36).padStart(2, '0')}`;
    begun += 1;
  }
  const id = beginning + ends[next];
  next += 1;
  return id;
}

/** What the client calls the request, for the log only: our own id stays the one that is answered. */
export function clientRequestId({ headers }: IncomingMessage): { clientRequestId?: string } {
  const field = headers['x-request-id'];
  if (typeof field !== 'string' || !/^[A-Za-z0-9._-]{1,64}$/.test(field)) return {};
  // It may hold a key.
  return redactKeys(field) === field ? { clientRequestId: field } : {};
}
