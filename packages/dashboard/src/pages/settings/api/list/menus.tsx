import type { Key, ListedKey } from '@soku/contract/keys';
import { builtInScopeSchema } from '@soku/contract/scopes';
import { useNavigate } from '@tanstack/react-router';
import { Ban, Copy, Pencil } from 'lucide-react';
import type { ListFilter } from '../../../../api/keys.ts';
import { useSession } from '../../../../api/session.ts';
import { copyText } from '../../../../components/copy-text.ts';
import { Menu, MenuChoice, MenuGroup, MenuItem } from '../../../../components/Menu.tsx';
import type { OpenMenu } from '../../../../components/MenuButton.tsx';
import { announce } from '../../../../components/Toast.tsx';
import { CreatorName } from './CreatorName.tsx';
import { type FilterName, formatDays } from './filters.ts';

interface ListMenuProps extends OpenMenu {
  id: string;
  onClose: () => void;
}

export interface RowActions {
  onRename: (key: Key) => void;
  onRevoke: (key: Key) => void;
}

/** The actions of a row. */
export function RowMenu({
  apiKey,
  onRename,
  onRevoke,
  ...menu
}: ListMenuProps & RowActions & { apiKey: Key }) {
  const suffix = ` key ${apiKey.name}`;
  return (
    <Menu {...menu} label={`Actions for ${apiKey.name}`} align="end">
      <MenuItem icon={Pencil} hiddenSuffix={suffix} onChoose={() => onRename(apiKey)}>
        <span>Rename</span>
      </MenuItem>
      <MenuItem icon={Copy} onChoose={() => copyId(apiKey.id)}>
        <span>Copy key ID</span>
      </MenuItem>
      {apiKey.status === 'revoked' ? null : (
        <MenuItem icon={Ban} danger hiddenSuffix={suffix} onChoose={() => onRevoke(apiKey)}>
          <span>Revoke</span>
        </MenuItem>
      )}
    </Menu>
  );
}

async function copyId(id: string): Promise<void> {
  announce((await copyText(id, null)) ? `Copied ${id}.` : `The ID was not copied. It is ${id}.`);
}

interface FilterMenuProps extends ListMenuProps {
  filter: ListFilter;
  /** Their creators can be chosen. */
  rows: ListedKey[];
}

/** Adds a filter, or replaces or removes the one of the same kind. */
export function FilterMenu({ filter, rows, ...menu }: FilterMenuProps) {
  const navigate = useNavigate({ from: '/settings/api' });
  const user = useSession()?.user;
  const creators = new Set([...(user ? [user.id] : []), ...rows.map(({ createdBy }) => createdBy)]);

  const item = (name: FilterName, value: number | string) => {
    const isChosen = filter[name] === value;
    return {
      isChosen,
      onChoose: () =>
        navigate({
          search: ({ [name]: _before, hash: _hash, ...others }) => ({
            ...others,
            ...(isChosen ? {} : { [name]: value }),
          }),
          resetScroll: false,
        }),
    };
  };

  return (
    <Menu {...menu} label="Add filter" align="start">
      <MenuGroup title="Unused for">
        {[30, 90].map((days) => (
          <MenuChoice key={days} {...item('unusedDays', days)}>
            <span>{formatDays(days)}</span>
          </MenuChoice>
        ))}
      </MenuGroup>
      <MenuGroup title="Expires within">
        {[7, 30].map((days) => (
          <MenuChoice key={days} {...item('expiresWithinDays', days)}>
            <span>{formatDays(days)}</span>
          </MenuChoice>
        ))}
      </MenuGroup>
      <MenuGroup title="Created by">
        {[...creators].map((id) => (
          <MenuChoice key={id} {...item('createdBy', id)}>
            <CreatorName id={id} />
          </MenuChoice>
        ))}
      </MenuGroup>
      <MenuGroup title="Scope">
        {builtInScopeSchema.options.map((scope) => (
          <MenuChoice key={scope} {...item('scope', scope)}>
            <code translate="no">{scope}</code>
          </MenuChoice>
        ))}
      </MenuGroup>
    </Menu>
  );
}
