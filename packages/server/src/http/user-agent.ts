import { redactKeys } from '@soku/key';

/** Maximum length in UTF-16 units. Longer ones are from browsers, and their ends carry no information. */
const maxCharacters = 200;

/**
 * Cleans a user agent for storage and display. The order of the steps matters: removed characters cannot hide a key,
 * and truncation cannot leave most of one.
 */
export function cleanUserAgent(agent: string): string {
  return redactKeys(agent.replace(/\p{Cc}/gu, ''))
    .slice(0, maxCharacters)
    .toWellFormed();
}

/** Maximum length of an agent in memory. Headers can be much longer, and there can be very many secrets. */
export const maxStoredAgentLength = 400;

/**
 * Truncates a long agent for memory. It ends between two words, so that its end contains no unrecognizable part of a
 * key. It is a copy, because a slice would keep the whole text in memory.
 */
export function truncateAgent(agent: string): string {
  if (agent.length <= maxStoredAgentLength) return agent;
  const start = agent.slice(0, maxStoredAgentLength).replace(/\w*$/, '');
  return Buffer.from(start, 'latin1').toString('latin1');
}
