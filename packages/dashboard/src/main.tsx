import './zod-without-eval.ts';
import './styles/layers.css';
import './styles/fonts.css';
import './styles/tokens.css';
import './styles/base.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { type AnyRoute, RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { onTabMessage } from './api/channel.ts';
import { sessionOptions } from './api/session.ts';
import { ErrorBoundary } from './components/ErrorBoundary.tsx';
import { RescuedKey } from './pages/settings/api/RescuedKey.tsx';
import { createAppRouter } from './router.tsx';
import { removeKeyFromAddress } from './session/clean-address.ts';
import { followNavigation } from './session/follow-navigation.ts';
import { createQueryClient } from './session/query-client.ts';

/** Runs after any key has been removed from the address. */
function start(): void {
  const queryClient = createQueryClient(toLogin);
  const router = createAppRouter(queryClient);

  function toLogin(): void {
    const { pathname, href } = router.state.location;
    if (pathname === '/login') return;
    queryClient.clear();
    void router.navigate({ to: '/login', search: { next: href }, replace: true });
  }

  // Every page needs the session and its own code. Load both in parallel.
  void queryClient.prefetchQuery(sessionOptions);
  const routes = new Map<string, AnyRoute>(Object.entries(router.routesById));
  for (const { routeId } of router.matchRoutes(router.latestLocation)) {
    const route = routes.get(String(routeId));
    if (route) void router.loadRouteChunk(route);
  }

  followNavigation(router);

  onTabMessage((message) => {
    if (message === 'signed-out') toLogin();
    else void queryClient.invalidateQueries();
  });

  const root = document.getElementById('root');
  if (!root) throw new Error('index.html has no #root');
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <ErrorBoundary>
          <RouterProvider router={router} />
        </ErrorBoundary>
        <RescuedKey />
      </QueryClientProvider>
    </StrictMode>,
  );
}

void removeKeyFromAddress(window).then(start);
