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
