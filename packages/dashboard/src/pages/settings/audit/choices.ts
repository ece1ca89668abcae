import type { Key } from '@soku/contract/keys';
import { escapeHiddenCharacters } from '@soku/contract/visible-text';
import { useQuery } from '@tanstack/react-query';
import { keyChoicesOptions, useLoadedActors } from '../../../api/audit.ts';
import { keyOptions } from '../../../api/keys.ts';
import { useSession } from '../../../api/session.ts';

export interface Choice {
  id: string;
  name: string;
}

/** @param chosen the id in the page's address, which is always included */
export function useActorChoices(chosen: string | undefined): Choice[] {
  const user = useSession()?.user;
  const seen = useLoadedActors();
  const others = new Map([...(chosen === undefined ? [] : [[chosen, chosen] as const]), ...seen]);
  const named: Choice[] = [
    ...(user ? [{ id: user.id, name: `You (${user.name})` }] : []),
    { id: 'operator', name: 'Operator' },
    { id: 'system', name: 'Server' },
  ];
  for (const { id } of named) others.delete(id);
  const rest = Array.from(others, ([id, name]) => ({ id, name: escapeHiddenCharacters(name) }));
  return [...named, ...rest.sort((a, b) => a.name.localeCompare(b.name))];
}

/**
 * The newest keys, and whether there are more.
 *
 * @param chosen the id in the page's address, which is always included
 */
export function useKeyChoices(chosen: string | undefined): { choices: Choice[]; hasMore: boolean } {
  const { data: newest } = useQuery(keyChoicesOptions);
  const keys = newest?.data ?? [];
  const isMissing = chosen !== undefined && !keys.some(({ id }) => id === chosen);
  const { data: one } = useQuery({ ...keyOptions(chosen ?? ''), enabled: isMissing && newest !== undefined });
  const choices = keys.map(choiceOf);
  if (isMissing) choices.unshift(one ? choiceOf(one) : { id: chosen, name: chosen });
  return { choices, hasMore: Boolean(newest?.nextCursor) };
}

function choiceOf({ id, name, preview, status }: Key): Choice {
  return {
    id,
    name: `${escapeHiddenCharacters(name)}, ${preview}${status === 'active' ? '' : ` (${status})`}`,
  };
}
