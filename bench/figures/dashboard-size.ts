import { gzipSync } from 'node:zlib';
import { launchBrowser, newPage } from '../../test/support/browser.ts';
import { owner, startServer } from '../../test/support/server.ts';
import type { Figure } from '../figure.ts';

/** Everything that a browser loads as script on /settings/api, signed in, gzip level 9. */
export async function dashboardSize(): Promise<Figure[]> {
  const server = await startServer();
  const browser = await launchBrowser();
  try {
    const { page } = await newPage(browser);
    await page.request.post(`${server.url}/api/auth/sign-in/email`, { data: owner });
    const scripts = new Map<string, number>();
    page.on('response', async (response) => {
      if (response.request().resourceType() !== 'script') return;
      scripts.set(response.url(), gzipSync(await response.body(), { level: 9 }).length);
    });
    await page.goto(`${server.url}/settings/api`, { waitUntil: 'networkidle' });
    const total = [...scripts.values()].reduce((sum, bytes) => sum + bytes, 0);
    return [
      {
        name: 'JavaScript on /settings/api',
        values: [total / 1000],
        unit: 'kB gzip',
        goal: { below: 150 },
        how: `The ${scripts.size} scripts that Chromium loads for the page.`,
      },
    ];
  } finally {
    await browser.close();
    await server.stop();
  }
}
