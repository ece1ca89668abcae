import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { redactKeys } from '@soku/key';

/** Unique per process, so that the IDs of two processes never collide in one log. */
const start = randomBytes(6).toString('hex');

/** All possible last two characters, created once, because formatting a number is slow on the hot path. */
const ends = Array.from({ length: 36 ** 2 }, (_, i) => i.toString(36).padStart(2, '0'));

let begun = 0;
let beginning = '';
let next = ends.length;

/**
 * The ID of the next request: short, unique, and cheap enough for the hot path. It is never taken from the client,
 * which could forge another request's ID or break a log line.
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

/** The client's own ID for the request, only for the log: responses contain the server's ID. */
export function clientRequestId({ headers }: IncomingMessage): { clientRequestId?: string } {
  const field = headers['x-request-id'];
  if (typeof field !== 'string' || !/^[A-Za-z0-9._-]{1,64}$/.test(field)) return {};
  // It may contain a key.
  return redactKeys(field) === field ? { clientRequestId: field } : {};
}
