/** Rejected requests by error code, or by `other` if a previous version has counted them. */
export type Rejections = Readonly<Record<string, number>>;

export const noRejections: Rejections = Object.freeze({});

export function addRejections(some: Rejections, others: Rejections): Rejections {
  if (others === noRejections) return some;
  if (some === noRejections) return others;
  const sum: Record<string, number> = { ...some };
  for (const [code, requests] of Object.entries(others)) sum[code] = (sum[code] ?? 0) + requests;
  return sum;
}

export function countRejections(rejections: Rejections): number {
  return Object.values(rejections).reduce((sum, requests) => sum + requests, 0);
}
