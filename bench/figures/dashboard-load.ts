import type { BrowserContextOptions } from 'playwright-core';
import { z } from 'zod';
import { launchBrowser, newPage } from '../../test/support/browser.ts';
import { owner, startServer } from '../../test/support/server.ts';
import type { Figure } from '../figure.ts';

/** Lighthouse's slow 4G: 150 ms until a response begins, 1.6 Mbit/s down and 750 kbit/s up. In ms and bytes per second. */
const slow4g = {
  offline: false,
  latency: 150,
  downloadThroughput: 1_600_000 / 8,
  uploadThroughput: 750_000 / 8,
};

const runs = 5;

/** A full page of the list. */
const keys = 50;

/** Records when the first frame with a key begins, in ms since the start of the navigation. */
const recordFirstKey = `window.shown = new Promise((resolve) => {
  new MutationObserver((_, observer) => {
    if (!document.querySelector('.keys__link')) return;
    observer.disconnect();
    requestAnimationFrame(() => resolve(performance.now()));
  }).observe(document, { childList: true, subtree: true });
});`;

/** The time until a signed-in person sees the keys, with an empty cache. */
export async function measureDashboardLoad(): Promise<Figure[]> {
  const server = await startServer();
  const browser = await launchBrowser();
  try {
    const ada = await server.signIn();
    for (let number = 1; number <= keys; number++) await ada.createKey({ name: `Key ${number}` });

    const { page } = await newPage(browser);
    await page.request.post(`${server.url}/api/auth/sign-in/email`, { data: owner });
    const storageState = await page.context().storageState();

    const timeLoad = async (options: BrowserContextOptions) => {
      const { page } = await newPage(browser, options);
      const context = page.context();
      const devTools = await context.newCDPSession(page);
      await devTools.send('Network.enable');
      await devTools.send('Network.emulateNetworkConditions', slow4g);
      await page.addInitScript(recordFirstKey);
      await page.goto(`${server.url}/settings/api`, { waitUntil: 'commit' });
      const took = z.number().parse(await page.evaluate('window.shown'));
      await context.close();
      return took;
    };
    // The first one compiles the server's code and reads its files.
    await timeLoad({ storageState });
    const values: number[] = [];
    for (let run = 0; run < runs; run++) values.push(await timeLoad({ storageState }));
    return [
      {
        name: 'key list at slow 4G, empty cache',
        values,
        unit: 'ms',
        how: `From the navigation to /settings/api to the frame that shows ${keys} keys, in Chromium with an empty cache and a session. The network is throttled to 1.6 Mbit/s down, 750 kbit/s up and 150 ms per request; the CPU is not.`,
      },
    ];
  } finally {
    await browser.close();
    await server.stop();
  }
}
