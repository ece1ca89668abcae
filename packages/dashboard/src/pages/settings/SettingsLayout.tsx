import './SettingsLayout.css';
import { Link, Outlet, useRouterState } from '@tanstack/react-router';

/** The pages below a list have a breadcrumb instead of the tabs. */
export function SettingsLayout() {
  const isBelowList = useRouterState({
    select: ({ location }) => /^\/settings\/\w+\/./.test(location.pathname),
  });
  return (
    <>
      {isBelowList ? null : <SettingsTabs />}
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
      <Link to="/settings/webhooks" className="tabs__tab" activeOptions={{ includeSearch: false }}>
        Webhooks
      </Link>
      <Link to="/settings/audit" className="tabs__tab" activeOptions={{ includeSearch: false }}>
        Audit log
      </Link>
    </nav>
  );
}
