/** What the dashboard says about a key that GitHub reported. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createdKeySchema, type Key } from '@soku/contract/keys';
import { newId } from '../../packages/server/src/ids.ts';
import { runSql } from '../support/run-sql.ts';
import { expectAccessible } from './accessibility.ts';
import { Dashboard } from './dashboard.ts';
import { expectHidden, expectText } from './expect.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada, server } = dashboard;

const url = 'https://github.com/octocat/Hello-World/blob/main/foo/bar.txt';

/** The event that POST /v1/leaks/github records. */
async function reportLeak({ id, name, secrets }: Key, secret = 0): Promise<void> {
  const details = JSON.stringify({ url, source: 'content', places: 1, secretId: secrets[secret]?.id });
  await runSql(
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
  const items = page.locator('.attention__item--leaked');
  await expectText(
    items,
    /^In the open has leaked GitHub reported it .*\. It is still accepted\. .* Open key In the open$/,
  );
  await items.getByRole('link').click();
  const alert = page.locator('.notice--bad');
  await expectText(
    alert,
    /^This key has leaked\. Anyone who found it can use it\. GitHub reported sk_live_\S+, .*, found at https:\/\/github\.com\/octocat/,
  );
  assert.equal(await alert.getByRole('link', { name: url }).getAttribute('href'), url);
  await expectAccessible(page);
  const rotated = await ada.call('POST', `/v1/api-keys/${key.id}/rotate`, { graceSeconds: 0 });
  assert.equal(rotated.status, 201);
  await page.reload();
  await page.getByRole('heading', { name: 'In the open' }).waitFor();
  await expectHidden(alert);
});

test('an older report stays open, whatever became of the secrets and keys that were reported later', async (t) => {
  const { key } = await ada.createKey({ name: 'Rotated' });
  const rotate = async () => {
    const response = await ada.call('POST', `/v1/api-keys/${key.id}/rotate`, { graceSeconds: 3600 });
    return createdKeySchema.parse(response.body).key;
  };
  await rotate();
  const rotated = await rotate();
  await reportLeak(rotated, 2);
  await reportLeak(rotated, 1);
  for (let i = 0; i < 12; i++) {
    const { key: other } = await ada.createKey({ name: `Ended ${i}` });
    await reportLeak(other);
    await ada.revoke(other.id);
  }
  const [, second, first] = rotated.secrets;
  assert.ok(first && second);
  const page = await dashboard.open(t, `/settings/api/${key.id}`);
  const alert = page.locator('.notice--bad');
  await alert.getByText(first.preview).waitFor();
  await alert.getByText(second.preview).waitFor();
  await ada.call('POST', `/v1/api-keys/${key.id}/secrets/${second.id}/retire`, {});
  await page.goto(`${server.url}/`);
  const items = page.locator('.attention__item--leaked');
  await expectText(items, /^Rotated has leaked /);
  await items.getByRole('link').click();
  await alert.getByText(first.preview).waitFor();
  await expectHidden(alert.getByText(second.preview));

  await ada.call('PATCH', `/v1/api-keys/${key.id}`, { disabled: true });
  await page.reload();
  await expectText(alert, /^This key has leaked\. It is disabled, so no server accepts it now\./);
  await page.goto(`${server.url}/`);
  await expectText(items, /It is disabled now\. Rotate or revoke it before you enable it again\./);
  await runSql(server, 'UPDATE api_key SET expires_at = 1 WHERE id = ?', key.id);
  await page.reload();
  await page.getByRole('heading', { name: 'Needs attention' }).waitFor();
  await page.locator('.attention__more').waitFor();
  assert.equal(await items.count(), 0);
  await page.goto(`${server.url}/settings/api/${key.id}`);
  await page.getByRole('heading', { name: 'Rotated' }).waitFor();
  await page.getByText('Expired', { exact: true }).first().waitFor();
  assert.equal(await alert.count(), 0);
});
