import { gzipSync } from 'node:zlib';
import type { Page, Response } from 'playwright-core';

/**
 * Opens a page and returns the size of each script that the browser loads for it: URL to bytes, gzip level 9.
 *
 * @param page with an empty cache
 */
export async function scriptSizes(page: Page, url: string): Promise<Map<string, number>> {
  const responses: Response[] = [];
  page.on('response', (response) => {
    if (response.request().resourceType() === 'script') responses.push(response);
  });
  await page.goto(url, { waitUntil: 'networkidle' });
  const sizes = new Map<string, number>();
  for (const response of responses) {
    sizes.set(response.url(), gzipSync(await response.body(), { level: 9 }).length);
  }
  return sizes;
}
