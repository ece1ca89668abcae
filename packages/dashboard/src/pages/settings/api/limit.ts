/** Reads rate limits from forms and formats them for the pages. */
import { type RateLimit, rateLimitSchema } from '@soku/contract/rate-limits';
import { formatNumber } from '../../../components/format-number.ts';

/** The choices of a form: the inherited limit, a custom limit or no limit. */
export type LimitChoice = 'inherited' | 'own' | 'off';

export function toLimitChoice(limit: RateLimit | null): LimitChoice {
  if (limit === null) return 'inherited';
  return limit === 'off' ? 'off' : 'own';
}

/** "1,000 requests per minute" or "no limit", within a sentence or alone. */
export function formatLimit(limit: RateLimit): string {
  if (limit === 'off') return 'no limit';
  return limit === 1 ? '1 request per minute' : `${formatNumber(limit)} requests per minute`;
}

/** The limit for the API, or a problem with the number that the form shows. */
export function parseLimit(
  choice: string,
  text: string,
): { limit: RateLimit | null; problem?: undefined } | { limit?: undefined; problem: string } {
  if (choice === 'inherited') return { limit: null };
  if (choice === 'off') return { limit: 'off' };
  const digits = text.trim();
  if (digits === '') return { problem: 'Enter the number of requests per minute.' };
  // "1.000" and "1,000" are a thousand in some countries and one in others, so both are rejected.
  if (!/^\d+$/.test(digits)) return { problem: 'Use digits only, such as 1000.' };
  const limit = rateLimitSchema.safeParse(Number(digits));
  return limit.success ? { limit: limit.data } : { problem: 'Must be between 1 and 1,000,000,000.' };
}

/** "Workspace default (1,000)", without the number while it is loading. */
export function inheritedLimitLabel(whose: string, limit: RateLimit | undefined): string {
  if (limit === undefined) return whose;
  return `${whose} (${limit === 'off' ? 'no limit' : formatNumber(limit)})`;
}
