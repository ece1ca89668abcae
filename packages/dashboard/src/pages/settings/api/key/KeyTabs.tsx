import { Link } from '@tanstack/react-router';
import type { KeyTab } from '../../../search.ts';

const tabs = [
  { tab: 'overview', name: 'Overview' },
  { tab: 'access', name: 'Access' },
  { tab: 'secrets', name: 'Secrets' },
  { tab: 'activity', name: 'Activity' },
] as const satisfies Array<{ tab: KeyTab; name: string }>;

/**
 * Links like those of the settings, so that each tab has a URL and Back restores the previous one.
 *
 * @param secrets how many secrets are accepted
 */
export function KeyTabs({ current, secrets }: { current: KeyTab; secrets: number }) {
  return (
    <nav className="tabs tabs--of-key" aria-label="Key">
      {tabs.map(({ tab, name }) => (
        <Link
          key={tab}
          from="/settings/api/$keyId"
          to="."
          search={tab === 'overview' ? {} : { tab }}
          className="tabs__tab"
          // The router would compare all parameters of the address, such as an open dialog.
          activeOptions={{ exact: true, includeSearch: true }}
          aria-current={tab === current ? 'page' : undefined}
          resetScroll={false}
        >
          <span>{name}</span>
          {tab === 'secrets' && secrets > 1 ? <span className="tabs__count">{` ${secrets}`}</span> : null}
        </Link>
      ))}
    </nav>
  );
}
