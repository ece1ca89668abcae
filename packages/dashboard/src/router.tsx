import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router';
import { keyListOptions } from './api/keys.ts';
import { sessionOptions } from './api/session.ts';
import { withBasePath } from './base-path.ts';
import { PagePending } from './components/PagePending.tsx';
import { ErrorPage } from './pages/ErrorPage.tsx';
import { NotFoundPage } from './pages/NotFoundPage.tsx';
import { Root } from './pages/Root.tsx';
import {
  accountSearch,
  apiKeysSearch,
  auditSearch,
  hygieneSearch,
  keySearch,
  loginSearch,
  overviewSearch,
  scopesSearch,
  setupSearch,
  tabOfPanel,
  toListFilter,
  webhooksSearch,
} from './pages/search.ts';
import { SignedIn } from './session/SignedIn.tsx';
import { safePath } from './session/safe-path.ts';
import { AppShell } from './shell/AppShell.tsx';

const rootRoute = createRootRouteWithContext<{ queryClient: QueryClient }>()({
  component: Root,
  notFoundComponent: () => (
    <AppShell>
      <NotFoundPage />
    </AppShell>
  ),
});

// --- Pages without a session.

const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/login',
  validateSearch: loginSearch,
  beforeLoad: async ({ context, search }) => {
    const session = await context.queryClient.ensureQueryData(sessionOptions);
    if (session.setupNeeded) throw redirect({ to: '/setup', replace: true });
    if (session.user) throw redirect({ href: safePath(search.next), replace: true });
  },
  component: lazyRouteComponent(() => import('./pages/LoginPage.tsx'), 'LoginPage'),
});

const setupRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/setup',
  validateSearch: setupSearch,
  beforeLoad: async ({ context }) => {
    const session = await context.queryClient.ensureQueryData(sessionOptions);
    if (!session.setupNeeded) throw redirect({ to: session.user ? '/' : '/login', replace: true });
  },
  component: lazyRouteComponent(() => import('./pages/SetupPage.tsx'), 'SetupPage'),
});

// --- All other pages have the sidebar.

const shellRoute = createRoute({ getParentRoute: () => rootRoute, id: 'shell', component: AppShell });

const signedInRoute = createRoute({
  getParentRoute: () => shellRoute,
  id: 'signed-in',
  component: SignedIn,
  beforeLoad: async ({ context, location }) => {
    const session = await context.queryClient.ensureQueryData(sessionOptions);
    if (session.setupNeeded) throw redirect({ to: '/setup', replace: true });
    if (!session.user) throw redirect({ to: '/login', search: { next: location.href }, replace: true });
  },
});

const overviewRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: '/',
  validateSearch: overviewSearch,
  component: lazyRouteComponent(() => import('./pages/OverviewPage.tsx'), 'OverviewPage'),
});

const settingsRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: '/settings',
  component: lazyRouteComponent(() => import('./pages/settings/SettingsLayout.tsx'), 'SettingsLayout'),
});

const settingsIndexRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/settings/account', replace: true });
  },
});

const accountRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/account',
  validateSearch: accountSearch,
  component: lazyRouteComponent(() => import('./pages/settings/account/AccountPage.tsx'), 'AccountPage'),
});

const apiKeysRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/api',
  validateSearch: apiKeysSearch,
  loaderDeps: ({ search }) => toListFilter(search),
  // Requests the list while the code of the page is loading.
  loader: ({ context, deps, cause }) => {
    if (cause !== 'preload') void context.queryClient.prefetchInfiniteQuery(keyListOptions(deps));
  },
  component: lazyRouteComponent(() => import('./pages/settings/api/ApiKeysPage.tsx'), 'ApiKeysPage'),
});

const keyRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/api/$keyId',
  validateSearch: keySearch,
  beforeLoad: ({ params, search }) => {
    const tab = tabOfPanel(search.panel);
    if (tab && search.tab !== tab)
      throw redirect({ to: '/settings/api/$keyId', params, search: { ...search, tab }, replace: true });
  },
  component: lazyRouteComponent(() => import('./pages/settings/api/KeyPage.tsx'), 'KeyPage'),
});

const importRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/api/import',
  component: lazyRouteComponent(() => import('./pages/settings/api/import/ImportPage.tsx'), 'ImportPage'),
});

const scopesRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/api/scopes',
  validateSearch: scopesSearch,
  component: lazyRouteComponent(() => import('./pages/settings/api/scopes/ScopesPage.tsx'), 'ScopesPage'),
});

const hygieneRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/api/hygiene',
  validateSearch: hygieneSearch,
  component: lazyRouteComponent(() => import('./pages/settings/api/hygiene/HygienePage.tsx'), 'HygienePage'),
});

const webhooksRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/webhooks',
  validateSearch: webhooksSearch,
  component: lazyRouteComponent(() => import('./pages/settings/webhooks/WebhooksPage.tsx'), 'WebhooksPage'),
});

const webhookRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/webhooks/$webhookId',
  validateSearch: webhooksSearch,
  component: lazyRouteComponent(() => import('./pages/settings/webhooks/WebhookPage.tsx'), 'WebhookPage'),
});

const auditRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/audit',
  validateSearch: auditSearch,
  component: lazyRouteComponent(() => import('./pages/settings/audit/AuditLogPage.tsx'), 'AuditLogPage'),
});

const helpKeysRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/help/api-key-management',
  component: lazyRouteComponent(() => import('./pages/help/KeyManagementPage.tsx'), 'KeyManagementPage'),
});

const helpAuthenticationRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/help/authentication',
  component: lazyRouteComponent(() => import('./pages/help/AuthenticationPage.tsx'), 'AuthenticationPage'),
});

const helpRotateRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/help/rotate-a-key',
  component: lazyRouteComponent(() => import('./pages/help/RotatePage.tsx'), 'RotatePage'),
});

const helpProtectRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/help/protect-an-api',
  component: lazyRouteComponent(() => import('./pages/help/protect/ProtectPage.tsx'), 'ProtectPage'),
});

const helpTroubleshootingRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/help/api-troubleshooting',
  component: lazyRouteComponent(() => import('./pages/help/TroubleshootingPage.tsx'), 'TroubleshootingPage'),
});

const helpIndexRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/help',
  beforeLoad: () => {
    throw redirect({ to: '/help/api-key-management', replace: true });
  },
});

const docsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/docs',
  component: lazyRouteComponent(() => import('./pages/docs/DocsPage.tsx'), 'DocsPage'),
});

const routeTree = rootRoute.addChildren([
  loginRoute,
  setupRoute,
  shellRoute.addChildren([
    signedInRoute.addChildren([
      overviewRoute,
      settingsRoute.addChildren([
        settingsIndexRoute,
        accountRoute,
        apiKeysRoute,
        importRoute,
        scopesRoute,
        hygieneRoute,
        keyRoute,
        webhooksRoute,
        webhookRoute,
        auditRoute,
      ]),
    ]),
    helpIndexRoute,
    helpKeysRoute,
    helpAuthenticationRoute,
    helpRotateRoute,
    helpProtectRoute,
    helpTroubleshootingRoute,
    docsRoute,
  ]),
]);

export function createAppRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree,
    basepath: withBasePath('/'),
    context: { queryClient },
    defaultPreload: 'intent',
    defaultErrorComponent: ErrorPage,
    defaultPendingComponent: PagePending,
    // Plain ?status=revoked&q=ci, which people can read and write, instead of JSON in the URL.
    parseSearch: (search) => Object.fromEntries(new URLSearchParams(search)),
    stringifySearch: (search) => {
      const query = new URLSearchParams();
      for (const [name, value] of Object.entries(search)) {
        if (value !== undefined && value !== '') query.set(name, String(value));
      }
      return query.size === 0 ? '' : `?${query}`;
    },
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
