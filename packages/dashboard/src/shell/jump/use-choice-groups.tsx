import type { Key } from '@soku/contract/keys';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { List } from 'lucide-react';
import { keyOptions } from '../../api/keys.ts';
import { Kbd } from '../../components/Kbd.tsx';
import { KeyTeeth } from '../../components/KeyTeeth.tsx';
import { splitPreview } from '../../components/key-teeth.ts';
import { capitalize } from '../../components/sentence.ts';
import { useHasSingleKeyShortcuts } from '../../components/shortcuts.ts';
import { useRecentKeyIds } from '../../session/recent-keys.ts';
import { useSignOut } from '../../session/use-sign-out.ts';
import { type Command, findCommands } from './commands.ts';
import type { JumpChoice } from './use-choices.ts';
import type { FoundKeys } from './use-found-keys.ts';

export interface ChoiceGroup {
  title: string;
  /** For screen readers, such as "2 keys". */
  summary: string;
  choices: JumpChoice[];
}

/** The lines of the list: keys first, then pages and actions. */
export function useChoiceGroups(text: string, hash: string, found: FoundKeys): ChoiceGroup[] {
  const go = useNavigate();
  const signOut = useSignOut();
  const recent = useRecentKeys();
  const hasSingleKeys = useHasSingleKeyShortcuts();
  const isEmpty = text.trim() === '' && hash === '';

  const ofKey = (key: Key): JumpChoice => ({
    id: key.id,
    name: key.name,
    mark: <KeyTeeth preview={key.preview} status={key.status} />,
    end: <KeyEnd apiKey={key} />,
    run: () => go({ to: '/settings/api/$keyId', params: { keyId: key.id } }),
  });

  const ofCommand = (command: Command): JumpChoice => {
    const { id, name, icon: Icon, area, shortcut, run } = command;
    return {
      id,
      name,
      mark: <Icon size={16} aria-hidden />,
      end: shortcut && hasSingleKeys ? <Kbd>{shortcut}</Kbd> : <span>{area}</span>,
      run: () => run({ go, signOut }),
    };
  };

  const all: JumpChoice = {
    id: 'all-matches',
    name: 'Show all matching keys',
    mark: <List size={16} aria-hidden />,
    end: null,
    run: () => go({ to: '/settings/api', search: { q: text.trim(), status: 'all' } }),
  };

  const keys = found.keys.map(ofKey);
  const actions = hash === '' ? findCommands(text).map(ofCommand) : [];
  const groups: ChoiceGroup[] = [
    isEmpty
      ? {
          title: 'Recently opened',
          summary: countOf(recent, 'recently opened key'),
          choices: recent.map(ofKey),
        }
      : {
          title: 'Keys',
          summary: found.hasMore ? `more than ${countOf(keys, 'key')}` : countOf(keys, 'key'),
          choices: found.hasMore ? [...keys, all] : keys,
        },
    { title: 'Actions', summary: countOf(actions, 'action'), choices: actions },
  ];
  return groups.filter(({ choices }) => choices.length > 0);
}

function countOf({ length }: unknown[], thing: string): string {
  return `${length} ${thing}${length === 1 ? '' : 's'}`;
}

/** The sidebar has loaded them. */
function useRecentKeys(): Key[] {
  const client = useQueryClient();
  return useRecentKeyIds().flatMap((id) => client.getQueryData(keyOptions(id).queryKey) ?? []);
}

/** A key that works needs no status. */
function KeyEnd({ apiKey: { preview, status } }: { apiKey: Key }) {
  const { start, end } = splitPreview(preview);
  return (
    <>
      {status === 'active' ? null : <span>{capitalize(status)}</span>}
      <code translate="no">{`${start}...${end}`}</code>
    </>
  );
}
