/**
 * Takes the README's screenshot from the real product (`npm run picture`), so that it shows the actual design and can
 * be repeated after a change.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { launchBrowser, newPage } from '../test/support/browser.ts';
import { newDataDir, owner, startServer } from '../test/support/server.ts';

const target = fileURLToPath(new URL('../docs/images/api-keys.png', import.meta.url));

const day = 24 * 60 * 60 * 1000;

/** Oldest first, with their ages in days and the minutes since their last use. */
const samples = [
  { name: 'Data warehouse export', age: 212 },
  { name: 'Zapier', age: 61, expiresIn: 9, used: 3 * 24 * 60 },
  { name: 'Staging', age: 33, used: 5 * 60 },
  { name: 'CI/CD Pipeline', age: 12, scopes: ['keys:read'], used: 26 },
  { name: 'Production Server', age: 2, used: 0 },
];

const dataDir = newDataDir();
try {
  const first = await startServer({ dataDir });
  const ada = await first.signIn();
  const created: { id: string; age: number; used: number | undefined }[] = [];
  for (const { name, age, scopes = [], expiresIn, used } of samples) {
    const expiry =
      expiresIn === undefined ? {} : { expiresAt: new Date(Date.now() + expiresIn * day).toISOString() };
    const { key } = await ada.makeKey({ name, scopes, ...expiry });
    created.push({ id: key.id, age, used });
  }
  await first.stop();
  const database = new DatabaseSync(join(dataDir, 'soku.db'));
  const age = database.prepare('UPDATE api_key SET created_at = created_at - ? WHERE id = ?');
  const lastUse = database.prepare(
    `INSERT INTO last_use (key_id, hash, at, address, agent)
     SELECT key_id, hash, ?, '203.0.113.7', 'curl/8.5.0' FROM api_key_secret WHERE key_id = ?`,
  );
  for (const { id, age: days, used } of created) {
    age.run(days * day, id);
    if (used !== undefined) lastUse.run(Date.now() - used * 60_000 - 20_000, id);
  }
  database.close();

  const server = await startServer({ dataDir });
  const browser = await launchBrowser();
  const { page } = await newPage(browser, { viewport: { width: 1360, height: 620 }, deviceScaleFactor: 2 });
  await page.request.post(`${server.url}/api/auth/sign-in/email`, { data: owner });
  await page.goto(`${server.url}/settings/api`, { waitUntil: 'networkidle' });
  await page.getByText('Production Server').first().waitFor();
  mkdirSync(fileURLToPath(new URL('../docs/images', import.meta.url)), { recursive: true });
  await page.screenshot({ path: target });
  await browser.close();
  await server.stop();
  console.log(`wrote ${target}`);
} finally {
  rmSync(dataDir, { recursive: true, force: true });
}
