import { environmentSchema } from '@soku/contract/key-values';
import type { Key, ListedKey } from '@soku/contract/keys';
import { builtInScopeSchema } from '@soku/contract/scopes';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import {
  Ban,
  Copy,
  Gauge,
  Hourglass,
  ListChecks,
  Pause,
  Pencil,
  Play,
  RefreshCw,
  Tags,
  Upload,
} from 'lucide-react';
import type { ListFilter } from '../../../../api/keys.ts';
import { scopeCatalogOptions } from '../../../../api/scopes.ts';
import { useSession } from '../../../../api/session.ts';
import { copyText } from '../../../../components/copy-text.ts';
import { Menu, MenuChoice, MenuGroup, MenuItem } from '../../../../components/Menu.tsx';
import type { OpenMenu } from '../../../../components/MenuButton.tsx';
import { announce } from '../../../../components/Toast.tsx';
import type { Panel } from '../../../../components/use-panel.ts';
import { CreatorName } from './CreatorName.tsx';
import { environmentNames, type FilterName, formatDays } from './filters.ts';

interface ListMenuProps extends OpenMenu {
  id: string;
  onClose: () => void;
}

interface RowMenuProps extends ListMenuProps {
  apiKey: Key;
  openPanel: (panel: Panel, keyId: string) => void;
}

/** The actions of a row. */
export function RowMenu({ apiKey, openPanel, ...menu }: RowMenuProps) {
  const { id, name, status, disabledAt } = apiKey;
  const item = (panel: Panel) => ({
    hiddenSuffix: ` key ${name}`,
    onChoose: () => openPanel(panel, id),
  });
  const canRotate = status === 'active' || status === 'disabled';
  const isRevoked = status === 'revoked';
  return (
    <Menu {...menu} label={`Actions for ${name}`} align="end">
      {canRotate ? (
        <MenuItem icon={RefreshCw} {...item('rotate')}>
          <span>Rotate</span>
        </MenuItem>
      ) : null}
      <MenuItem icon={Pencil} {...item('rename')}>
        <span>Rename</span>
      </MenuItem>
      <MenuItem icon={Copy} onChoose={() => copyId(id)}>
        <span>Copy key ID</span>
      </MenuItem>
      {isRevoked ? null : (
        <MenuItem icon={disabledAt ? Play : Pause} {...item('disable')}>
          <span>{disabledAt ? 'Enable' : 'Disable'}</span>
        </MenuItem>
      )}
      {isRevoked ? null : (
        <MenuItem icon={Ban} danger {...item('revoke')}>
          <span>Revoke</span>
        </MenuItem>
      )}
    </Menu>
  );
}

/** What concerns all keys. */
export function PageMenu({ openPanel, ...menu }: ListMenuProps & { openPanel: (panel: Panel) => void }) {
  const navigate = useNavigate();
  return (
    <Menu {...menu} label="More actions" align="end">
      <MenuItem icon={Upload} onChoose={() => navigate({ to: '/settings/api/import' })}>
        <span>Import keys</span>
      </MenuItem>
      <MenuItem icon={Tags} onChoose={() => navigate({ to: '/settings/api/scopes' })}>
        <span>Scopes</span>
      </MenuItem>
      <MenuItem icon={ListChecks} onChoose={() => navigate({ to: '/settings/api/hygiene' })}>
        <span>Hygiene</span>
      </MenuItem>
      <MenuItem icon={Gauge} onChoose={() => openPanel('limit')}>
        <span>Default rate limit</span>
      </MenuItem>
      <MenuItem icon={Hourglass} onChoose={() => openPanel('policies')}>
        <span>Policies</span>
      </MenuItem>
      <MenuItem icon={Ban} danger onChoose={() => openPanel('revoke-all')}>
        <span>Revoke all keys</span>
      </MenuItem>
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

/** A menu with more would be too long. */
const maxExternalIds = 8;

/** Adds a filter, or replaces or removes the one of the same kind. */
export function FilterMenu({ filter, rows, ...menu }: FilterMenuProps) {
  const navigate = useNavigate({ from: '/settings/api' });
  const session = useSession();
  const user = session?.user;
  const { data: catalog } = useQuery(scopeCatalogOptions);
  const creators = new Set([...(user ? [user.id] : []), ...rows.map(({ createdBy }) => createdBy)]);
  const externalIds = new Set(rows.flatMap(({ externalId }) => externalId ?? []));
  const hasTestKeys = session?.testKeyPrefix !== null || filter.environment !== undefined;

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
      <MenuGroup title="Status">
        <MenuChoice {...item('status', 'disabled')}>
          <span>Disabled</span>
        </MenuChoice>
        <MenuChoice {...item('rotating', 'true')}>
          <span>Rotation in progress</span>
        </MenuChoice>
      </MenuGroup>
      {hasTestKeys ? (
        <MenuGroup title="Environment">
          {environmentSchema.options.map((environment) => (
            <MenuChoice key={environment} {...item('environment', environment)}>
              <span>{environmentNames[environment]}</span>
            </MenuChoice>
          ))}
        </MenuGroup>
      ) : null}
      {externalIds.size > 0 ? (
        <MenuGroup title="External ID">
          {[...externalIds].slice(0, maxExternalIds).map((id) => (
            <MenuChoice key={id} {...item('externalId', id)}>
              <span translate="no">{id}</span>
            </MenuChoice>
          ))}
        </MenuGroup>
      ) : null}
      <MenuGroup title="Scope">
        {(catalog?.map(({ name }) => name) ?? builtInScopeSchema.options).map((scope) => (
          <MenuChoice key={scope} {...item('scope', scope)}>
            <code translate="no">{scope}</code>
          </MenuChoice>
        ))}
      </MenuGroup>
    </Menu>
  );
}
