/**
 * The headers of a request that the row of its delivery determines, so that they need not be stored.
 *
 * @param at the time of the attempt, epoch ms; null before the first one
 */
export function requestHeaders(deliveryId: string, at: number | null): Record<string, string> {
  return {
    'content-type': 'application/json',
    'webhook-id': deliveryId,
    ...(at === null ? {} : { 'webhook-timestamp': String(unixSeconds(at)) }),
  };
}

/** @param at epoch ms */
export function unixSeconds(at: number): number {
  return Math.floor(at / 1000);
}
