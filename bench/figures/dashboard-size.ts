import { launchBrowser, newPage } from '../../test/support/browser.ts';
import { scriptSizes } from '../../test/support/script-sizes.ts';
import { owner, startServer } from '../../test/support/server.ts';
import type { Figure } from '../figure.ts';

/** All scripts that a browser loads on /settings/api while signed in. */
export async function measureDashboardSize(): Promise<Figure[]> {
  const server = await startServer();
  const browser = await launchBrowser();
  try {
    const { page } = await newPage(browser);
    await page.request.post(`${server.url}/api/auth/sign-in/email`, { data: owner });
    const scripts = await scriptSizes(page, `${server.url}/settings/api`);
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
