/** What the dashboard says about a key that GitHub reported. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Key } from '@soku/contract/keys';
import { newId } from '../../packages/server/src/ids.ts';
import { inDatabase } from '../support/in-database.ts';
import { isAccessible } from './accessibility.ts';
import { Dashboard } from './dashboard.ts';
import { isGone, reads } from './expect.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada, server } = dashboard;

const url = 'https://github.com/octocat/Hello-World/blob/main/foo/bar.txt';

/** The event that POST /v1/leaks/github records. */
async function reportLeak({ id, name, secrets }: Key): Promise<void> {
  const details = JSON.stringify({ url, source: 'content', places: 1, secretId: secrets[0]?.id });
  await inDatabase(
    server,
    `INSERT INTO audit_event (id, chain, at, actor_kind, actor_id, actor_name, action, target_kind, target_id,
       target_name, details)
     SELECT ?, workspace_id, CAST(? AS bigint), 'system', 'system', 'Soku', 'key.leak_reported', 'key', id, ?, ?
     FROM api_key WHERE id = ? RETURNING 1`,
    newId('evt_', Date.now()),
    String(Date.now()),
    name,
    details,
    id,
  );
}

test('a reported key is shown on its page and the overview until its secret has ended', async (t) => {
  const [{ key }, { key: revoked }] = [
    await ada.createKey({ name: 'In the open' }),
    await ada.createKey({ name: 'Closed' }),
  ];
  await reportLeak(key);
  await reportLeak(revoked);
  await ada.revoke(revoked.id);
  const page = await dashboard.open(t, '/');
  const items = page.locator('.todo__item--leaked');
  await reads(
    items,
    /^In the open has leaked GitHub reported it .* still accepted\. .* Open key In the open$/,
  );
  await items.getByRole('link').click();
  const alert = page.locator('.notice--bad');
  await reads(alert, /^This key has leaked\. GitHub reported it .* Found at https:\/\/github\.com\/octocat/);
  assert.equal(await alert.getByRole('link', { name: url }).getAttribute('href'), url);
  await isAccessible(page);
  const rotated = await ada.call('POST', `/v1/api-keys/${key.id}/rotate`, { graceSeconds: 0 });
  assert.equal(rotated.status, 201);
  await page.reload();
  await page.getByRole('heading', { name: 'In the open' }).waitFor();
  await isGone(alert);
});
