// Prevents a command that was killed, or could not be started, from being taken for one that went well: both have
// no exit code.

import { constants } from 'node:os';

/**
 * @param {import('node:child_process').SpawnSyncReturns<unknown>} result
 * @returns {{ reason: string, code: number } | null} in words and as an exit code (128 + number of a signal, as
 *   shells have it); null when it went well
 */
export function failureOf({ status, signal, error }) {
  if (status === 0) return null;
  if (signal !== null) return { reason: signal, code: 128 + constants.signals[signal] };
  return { reason: error?.message ?? `exit code ${status}`, code: status ?? 1 };
}
