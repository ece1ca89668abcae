import './SettingsLayout.css';
import { Link, Outlet, useRouterState } from '@tanstack/react-router';

/** The page of a key has a breadcrumb instead of the tabs. */
export function SettingsLayout() {
  const isKeyPage = useRouterState({
    select: ({ location }) => /^\/settings\/api\/./.test(location.pathname),
  });
  return (
    <>
      {isKeyPage ? null : <SettingsTabs />}
      <Outlet />
    </>
  );
}

function SettingsTabs() {
  return (
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
  );
}
