/**
 * Takes the pictures of the documentation from the real product (`npm run picture`), so that they show the actual design
 * and can be repeated after a change.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { z } from 'zod';
import { Dashboard } from '../test/browser/dashboard.ts';
import { evaluate } from '../test/browser/expect.ts';
import { launchBrowser, newPage } from '../test/support/browser.ts';
import { fillWorkspace } from './picture-data.ts';
import { encodePng } from './png.ts';

const folder = fileURLToPath(new URL('../docs/images/', import.meta.url));
const host = 'keys.northwind.example';

const desktop = { viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1.5 };
const phone = { viewport: { width: 390, height: 780 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

/** There is always one of them in which it is afternoon, so that the chart of today is neither empty nor complete. */
const zones = [
  'Europe/Berlin',
  'America/New_York',
  'America/Los_Angeles',
  'Pacific/Honolulu',
  'Pacific/Auckland',
  'Asia/Tokyo',
  'Asia/Dubai',
];

function hourIn(timeZone: string): number {
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone, timeStyle: 'short' }).format();
  const [hour = 0, minute = 0] = clock.split(':').map(Number);
  return hour + minute / 60;
}

const afternoon = 15.5;
const distance = (zone: string) => Math.abs(hourIn(zone) - afternoon);
const [timezoneId = 'UTC'] = zones.toSorted((a, b) => distance(a) - distance(b));

const pixelsSchema = z.object({ width: z.number(), height: z.number(), rgba: z.base64() });

/** The browser decodes its own screenshot. */
const readPixels = (png: Buffer) => `createImageBitmap(
  new Blob([Uint8Array.fromBase64('${png.toString('base64')}')], { type: 'image/png' }),
).then((bitmap) => {
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d');
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  return { width, height, rgba: new Uint8Array(data.buffer).toBase64() };
})`;

/** Leaves no space for a scroll bar, which would be empty. The content security policy permits this way. */
const withoutScrollBar = `const sheet = new CSSStyleSheet();
sheet.replaceSync('html { scrollbar-gutter: auto !important; }');
document.adoptedStyleSheets = [sheet];`;

async function take(page: Page, name: string): Promise<void> {
  await page.waitForLoadState('networkidle');
  await page.evaluate('document.fonts.ready.then(() => undefined)');
  const { width, height, rgba } = await evaluate(page, pixelsSchema, readPixels(await page.screenshot()));
  const bytes = Buffer.from(rgba, 'base64');
  const colors = Uint32Array.from({ length: width * height }, (_, pixel) => bytes.readUIntBE(pixel * 4, 3));
  const png = encodePng({ width, height, colors });
  writeFileSync(`${folder}${name}.png`, png);
  console.log(`${name}.png: ${Math.round(png.length / 1000)} kB`);
}

const heightSchema = z.number();

/** Makes the window as high as the page. */
async function showAll(page: Page): Promise<void> {
  await page.setViewportSize(desktop.viewport);
  await page.waitForLoadState('networkidle');
  const height = await evaluate(page, heightSchema, 'document.documentElement.scrollHeight');
  await page.setViewportSize({ width: desktop.viewport.width, height });
}

async function takeAll(
  open: (path: string, options?: BrowserContextOptions) => Promise<Page>,
): Promise<void> {
  const ids = await fillWorkspace(dashboard, hourIn(timezoneId));
  const page = await open('/settings/api');
  // Fills the list of recent keys.
  for (const name of ['Checkout web', 'Billing worker', 'Production Server']) {
    await page.goto(`http://${host}/settings/api/${ids.get(name)}`);
    await page.locator('.recent').getByText(name).first().waitFor();
  }
  await showAll(page);
  await take(page, 'key');
  await page.goto(`http://${host}/`);
  await showAll(page);
  await take(page, 'overview');
  await page.setViewportSize(desktop.viewport);
  await page.goto(`http://${host}/settings/api`);
  await take(page, 'api-keys');
  await page.emulateMedia({ colorScheme: 'dark' });
  await take(page, 'api-keys-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await take(await open('/settings/api', phone), 'api-keys-phone');
  await page.goto(`http://${host}/settings/api?panel=generate`);
  await page.getByRole('textbox', { name: 'Name' }).fill('Reporting service');
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await page.getByRole('textbox', { name: 'API key', exact: true }).waitFor();
  await take(page, 'new-key');
}

mkdirSync(folder, { recursive: true });
const dashboard = await Dashboard.start({ SOKU_PUBLIC_URL: `http://${host}`, SOKU_KEY_RATE_LIMIT: '6000' });
const browser = await launchBrowser(`${host} 127.0.0.1:${new URL(dashboard.server.url).port}`);
try {
  await dashboard.database('UPDATE workspace SET name = ?', 'Northwind Payments');
  await dashboard.database('UPDATE "user" SET name = ?', 'Ada Okafor');
  await takeAll(async (path, options = desktop) => {
    const context = { timezoneId, reducedMotion: 'reduce' as const, colorScheme: 'light' as const };
    const { page } = await newPage(browser, { ...context, ...options });
    await page.addInitScript(withoutScrollBar);
    await dashboard.signInAs(page.context(), dashboard.ada, `http://${host}`);
    await page.goto(`http://${host}${path}`);
    return page;
  });
} finally {
  await browser.close();
  await dashboard.stop();
}
// The shared browser of the tests would keep the process running.
process.exit();
