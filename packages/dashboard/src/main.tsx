import './zod-without-eval.ts';
import './styles/layers.css';
import '@fontsource-variable/inter/wght.css';
import '@fontsource-variable/jetbrains-mono/wght.css';
import './styles/tokens.css';
import './styles/base.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { type AnyRoute, RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { onOtherTab } from './api/channel.ts';
import { sessionOptions } from './api/session.ts';
import { LastResort } from './components/LastResort.tsx';
import { RescuedKey } from './pages/settings/api/RescuedKey.tsx';
import { makeRouter } from './router.tsx';
import { cleanAddress } from './session/clean-address.ts';
import { followNavigation } from './session/follow-navigation.ts';
import { makeQueryClient } from './session/query-client.ts';

/** Runs after any key has been removed from the address. */
function start(): void {
  const queryClient = makeQueryClient(toLogin);
  const router = makeRouter(queryClient);

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

  onOtherTab((message) => {
    if (message === 'signed-out') toLogin();
    else void queryClient.invalidateQueries();
  });

  const root = document.getElementById('root');
  if (!root) throw new Error('index.html has no #root');
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <LastResort>
          <RouterProvider router={router} />
        </LastResort>
        <RescuedKey />
      </QueryClientProvider>
    </StrictMode>,
  );
}

void cleanAddress(window).then(start);
