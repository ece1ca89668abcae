/**
 * Timeout in ms of conditions that must be met eventually. It only ends hanging tests, so it is far longer than
 * anything takes on a busy machine.
 */
export const testTimeoutMs = 120_000;
