/** Rejected requests by error code, or by `other` if a previous version has counted them. */
export type Refusals = Readonly<Record<string, number>>;

export const noRefusals: Refusals = Object.freeze({});

export function addRefusals(some: Refusals, others: Refusals): Refusals {
  if (others === noRefusals) return some;
  if (some === noRefusals) return others;
  const sum: Record<string, number> = { ...some };
  for (const [code, requests] of Object.entries(others)) sum[code] = (sum[code] ?? 0) + requests;
  return sum;
}

export function countRefusals(refusals: Refusals): number {
  return Object.values(refusals).reduce((sum, requests) => sum + requests, 0);
}
