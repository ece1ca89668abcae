/** Searches a page, its memory and its requests for a key that must not be there. */
import assert from 'node:assert/strict';
import type { BrowserContext, Page } from 'playwright-core';
import { z } from 'zod';
import { evaluate } from './expect.ts';

/** All places that a script in the page can read, by name. */
export const placesInPageScript = `(async () => ({
  DOM: document.documentElement.outerHTML,
  fields: Array.from(document.querySelectorAll('input, textarea'), (field) => field.value).join('\\n'),
  localStorage: JSON.stringify(localStorage),
  sessionStorage: JSON.stringify(sessionStorage),
  databases: JSON.stringify(await indexedDB.databases()),
  caches: JSON.stringify(await caches.keys()),
  'service workers': String((await navigator.serviceWorker.getRegistrations()).length),
  history: JSON.stringify(history.state),
  cookie: document.cookie,
  URL: location.href,
  title: document.title,
  'window.name': window.name,
  performance: JSON.stringify(performance.getEntries()),
}))()`;

/** Records network traffic and console messages from now on. */
export function recordTraffic(context: BrowserContext) {
  const bodies: Promise<{ what: string; text: string }>[] = [];
  const texts: string[] = [];
  context.on('request', (request) =>
    texts.push(`${request.method()} ${request.url()}`, request.postData() ?? ''),
  );
  context.on('response', (response) => {
    const what = `${response.request().method()} ${new URL(response.url()).pathname}`;
    // After navigation, the body of a response is no longer available.
    bodies.push(
      response.text().then(
        (text) => ({ what, text }),
        () => ({ what, text: '' }),
      ),
    );
  });
  context.on('console', (message) => texts.push(message.text()));
  return { responses: () => Promise.all(bodies), texts };
}

/** The 26 random characters, which also reveal a key that is stored in parts. */
export const randomPart = (apiKey: string) => apiKey.slice('sk_live_'.length, -6);

export async function expectKeyNotInPage(page: Page, apiKey: string, when: string): Promise<void> {
  const places = await evaluate(page, z.record(z.string(), z.string()), placesInPageScript);
  const leaks = Object.keys(places).filter((place) => places[place]?.includes(randomPart(apiKey)));
  assert.deepEqual(leaks, [], when);
  assert.equal(places.databases, '[]');
  assert.equal(places.caches, '[]');
  assert.equal(places['service workers'], '0');
}

export async function expectKeyNotInBrowser(page: Page, apiKey: string, when: string): Promise<void> {
  await expectKeyNotInPage(page, apiKey, when);
  // Checks the whole memory of the page, including the caches of libraries.
  assert.ok(
    !(await takeHeapSnapshot(page)).includes(randomPart(apiKey)),
    `${when}, the memory contains the key`,
  );
}

export async function takeHeapSnapshot(page: Page): Promise<string> {
  const session = await page.context().newCDPSession(page);
  const chunks: string[] = [];
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => chunks.push(chunk));
  await session.send('HeapProfiler.collectGarbage');
  await session.send('HeapProfiler.takeHeapSnapshot');
  await session.detach();
  return chunks.join('');
}
