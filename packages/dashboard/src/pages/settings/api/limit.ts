/** Limits of requests a minute, as the forms ask for them and the pages say them. */
import { type RateLimit, rateLimitSchema } from '@soku/contract/rate-limits';

/** What a form offers: the limit of whoever stands above, a number of one's own, or none. */
export type LimitChoice = 'inherited' | 'own' | 'off';

export function choiceOf(limit: RateLimit | null): LimitChoice {
  if (limit === null) return 'inherited';
  return limit === 'off' ? 'off' : 'own';
}

/** "1,000 requests a minute" or "no limit": inside a sentence or alone. */
export function limitInWords(limit: RateLimit): string {
  if (limit === 'off') return 'no limit';
  return limit === 1 ? '1 request a minute' : `${limit.toLocaleString('en')} requests a minute`;
}

/** The limit for the API, or what is wrong with the number, in words for whoever typed it. */
export function readLimit(
  choice: string,
  text: string,
): { limit: RateLimit | null; problem?: undefined } | { problem: string } {
  if (choice === 'inherited') return { limit: null };
  if (choice === 'off') return { limit: 'off' };
  const digits = text.trim();
  if (digits === '') return { problem: 'Enter how many requests a minute.' };
  // "1.000" and "1,000" are a thousand to some and one to others: ask, never guess.
  if (!/^\d+$/.test(digits)) return { problem: 'Use digits only, such as 1000.' };
  const limit = rateLimitSchema.safeParse(Number(digits));
  return limit.success ? { limit: limit.data } : { problem: 'Must be between 1 and 1,000,000,000.' };
}

/** "Workspace's default (1,000)"; the number may still be on its way. */
export function inheritedInWords(whose: string, limit: RateLimit | undefined): string {
  if (limit === undefined) return whose;
  return `${whose} (${limit === 'off' ? 'no limit' : limit.toLocaleString('en')})`;
}
