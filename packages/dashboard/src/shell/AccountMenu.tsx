import '../components/MenuItem.css';
import './AccountMenu.css';
import { ChevronsUpDown, Menu } from 'lucide-react';
import { useId, useRef, useState } from 'react';
import { OnDemand, useOnDemandOrThrow } from '../components/on-demand.ts';
import { NameAndEmail, type Person } from './NameAndEmail.tsx';

/** Most visits do not open the menu. */
const menuItems = new OnDemand(() => import('./AccountMenuItems.tsx'));

/** On a phone, a sheet at the bottom of the screen with the parts of the sidebar that its bars have no room for. */
export function AccountMenu({ user }: { user: Person }) {
  const id = useId();
  const menu = useRef<HTMLDivElement>(null);
  const [isNeeded, setNeeded] = useState(false);
  const items = useOnDemandOrThrow(menuItems, isNeeded);
  // The focus returns to the button.
  const close = () => menu.current?.hidePopover();

  return (
    <>
      <button
        type="button"
        className="account"
        popoverTarget={id}
        onPointerEnter={menuItems.preload}
        onFocus={menuItems.preload}
      >
        <span className="visually-hidden">Account menu: </span>
        <span className="account__who">
          <NameAndEmail {...user} />
        </span>
        <ChevronsUpDown className="account__open" size={16} aria-hidden />
        <Menu className="account__open account__open--touch" size={20} aria-hidden />
      </button>
      <div className="account-menu" id={id} popover="auto" ref={menu} onBeforeToggle={() => setNeeded(true)}>
        {items ? <items.AccountMenuItems user={user} close={close} /> : null}
      </div>
    </>
  );
}
