import { timingSafeEqual } from 'node:crypto';

/** Compares in constant time, so that the duration does not reveal where two values differ. Their lengths are no secret. */
export function constantTimeEqual(given: Uint8Array, expected: Uint8Array): boolean {
  return given.length === expected.length && timingSafeEqual(given, expected);
}
