import './SettingsLayout.css';
import { Link, Outlet } from '@tanstack/react-router';

export function SettingsLayout() {
  return (
    <>
      <nav className="tabs" aria-label="Settings">
        <Link to="/settings/account" className="tabs__tab">
          Account
        </Link>
        <Link to="/settings/api" className="tabs__tab" activeOptions={{ includeSearch: false }}>
          API
        </Link>
        <Link to="/settings/audit" className="tabs__tab" activeOptions={{ includeSearch: false }}>
          Audit log
        </Link>
      </nav>
      <Outlet />
    </>
  );
}
