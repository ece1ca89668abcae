import { redactKeys } from '@soku/key';

/** In UTF-16 units. Longer ones are browsers', whose ends tell nothing. */
const mostCharacters = 200;

/**
 * A client's name of itself, fit to be kept and shown. Its order matters: what is taken out first cannot hide a
 * key, nor can cutting leave most of one.
 */
export function cleanUserAgent(agent: string): string {
  return redactKeys(agent.replace(/\p{Cc}/gu, ''))
    .slice(0, mostCharacters)
    .toWellFormed();
}

/** Longest agent that is kept in memory as it came. Headers can be much longer, and there can be very many secrets. */
export const longestAgent = 400;

/**
 * The beginning of a long agent, for memory. It ends between two words, so that no part of a key is at its end, which
 * nothing could recognise any more; and it is a copy, because a slice would keep the whole text alive.
 */
export function shorten(agent: string): string {
  const start = agent.slice(0, longestAgent).replace(/\w*$/, '');
  return Buffer.from(start, 'latin1').toString('latin1');
}
