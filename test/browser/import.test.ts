/** Settings > API > More actions > Import keys: keys of another system, by their hashes. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { keyListSchema } from '@soku/contract/keys';
import { generateKey } from '@soku/key';
import type { Page } from 'playwright-core';
import { bearer, call } from '../support/person.ts';
import { expectAccessible } from './accessibility.ts';
import { Dashboard } from './dashboard.ts';
import { expectFocus, expectPath, expectText, readTexts, tabTo } from './expect.ts';
import * as keys from './key-pages.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada } = dashboard;

const sha256 = (text: string, encoding: 'hex' | 'base64url' = 'hex') =>
  createHash('sha256').update(text).digest(encoding);

const choose = (page: Page, name: string, text: string) =>
  page
    .getByLabel('File to import')
    .setInputFiles({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const step = (page: Page, name: string) => page.getByRole('heading', { level: 2, name });
const rows = (page: Page) => readTexts(page.locator('tbody').getByRole('row'));

/** The names of all keys whose names contain a word. */
async function namesOf(word: string): Promise<string[]> {
  const response = await ada.call('GET', `/v1/api-keys?status=all&sort=name&q=${word}`);
  return keyListSchema.parse(response.body).data.map(({ name }) => name);
}

test('a CSV file is mapped, checked and imported, and its keys then work', async (t) => {
  const [first, second] = [generateKey(), generateKey()];
  const page = await dashboard.open(t, '/settings/api');
  await button(page, 'More actions').click();
  await keys.menuItem(page, 'Import keys').click();
  await expectPath(page, '/settings/api/import');
  await expectAccessible(page);
  const lines = [
    'Label;sha256;Scopes;Expires;Notes',
    `Csv one;${sha256(first)};;2099-01-31;"a; b"`,
    `Csv two;${sha256(second, 'base64url')};keys:read, audit:read;;`,
  ];
  await choose(page, 'keys.csv', `\uFEFF${lines.join('\r\n')}\r\n`);
  await expectFocus(step(page, 'Columns of keys.csv'));
  const fields = page.getByRole('combobox');
  const chosen = await fields.evaluateAll((all) => all.map((one) => ('value' in one ? one.value : '')));
  assert.deepEqual(chosen, ['name', 'hash', 'scopes', 'expiresAt', '']);
  await expectAccessible(page, { wide: true });

  await button(page, 'Check 2 keys').click();
  await expectFocus(step(page, 'Ready to import 2 keys'));
  assert.deepEqual(await namesOf('Csv'), [], 'a check imports nothing');
  await expectAccessible(page);
  await tabTo(button(page, 'Import 2 keys'));
  await page.keyboard.press('Enter');
  await expectFocus(step(page, '2 keys imported'));
  await expectAccessible(page);
  for (const apiKey of [first, second]) {
    const me = await call(`${dashboard.server.url}/v1/me`, { headers: bearer(apiKey) });
    assert.equal(me.status, 200, me.text);
  }
  await page.getByRole('link', { name: 'Show the keys' }).click();
  await expectPath(page, '/settings/api');
  await expectText(keys.row(page, 'Csv one'), /31 Jan 2099|Jan 31, 2099/);
  await expectText(keys.row(page, 'Csv two'), /audit:read, keys:read/);

  await page.goto(`${dashboard.server.url}/settings/api/import`);
  await choose(page, 'keys.csv', lines.join('\n'));
  await button(page, 'Check 2 keys').click();
  await page.getByText('The workspace already has all of these keys.').waitFor();
  assert.equal(await page.getByRole('button', { name: /^Import/ }).count(), 0);
});

test('a JSON file is read like a table, and its fields can be mapped by hand', async (t) => {
  const apiKey = generateKey();
  const page = await dashboard.open(t, '/settings/api/import');
  const file = [
    {
      ...{ id: 7, who: 'Json one', key: sha256(apiKey, 'base64url') },
      ...{ permissions: ['keys:read'], rateLimit: 60, enabled: true },
    },
  ];
  await choose(page, 'export.json', JSON.stringify({ keys: file }));
  await page.getByText('No column contains the name. Every key needs a name and a hash.').waitFor();
  await page
    .getByText(/^Every key in this file will be accepted, because the column enabled is not/)
    .waitFor();
  assert.equal(await page.getByRole('button', { name: /^Check/ }).count(), 0);
  await page.getByRole('combobox', { name: 'Field of the column who' }).selectOption('name');
  await button(page, 'Check 1 key').click();
  await button(page, 'Import 1 key').click();
  await step(page, '1 key imported').waitFor();
  assert.deepEqual(await namesOf('Json'), ['Json one']);
});

test('problems are listed by row and can be downloaded, and nothing is imported', async (t) => {
  const revoked = await ada.createKey({ name: 'Revoked before' });
  await ada.revoke(revoked.key.id);
  const page = await dashboard.open(t, '/settings/api/import');
  const lines = [
    'name,hash,rateLimit,permissions',
    `Wrong one,${sha256('1')},60,`,
    `Wrong two,${sha256('2').slice(1)},60,`,
    `Wrong three,${sha256(revoked.apiKey)},"many, many",`,
    `,${sha256('4')},,`,
    `Wrong five,${sha256('5')},,keys:read none:such`,
  ];
  await choose(page, 'keys.csv', lines.join('\n'));
  await button(page, 'Check 5 keys').click();
  await expectFocus(step(page, 'Nothing can be imported yet'));
  const problems = await rows(page);
  assert.match(problems.join('\n'), /^3 hash must be a SHA-256/m);
  assert.match(problems.join('\n'), /^4 rateLimit /m);
  assert.match(problems.join('\n'), /^5 name must not be empty$/m);
  assert.match(problems.join('\n'), /^6 scopes is none:such, which is not in the scope catalog/m);
  await expectAccessible(page);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download problems as CSV' }).click(),
  ]);
  assert.equal(download.suggestedFilename(), 'import-problems.csv');
  const csv = await readFile(await download.path(), 'utf8');
  assert.match(csv, /^row,field,problem\r\n3,hash,"?must be a SHA-256/);
  assert.match(csv, /^6,scopes,"is none:such/m);
  assert.equal(csv.trim().split('\r\n').length, problems.length + 1);
  assert.deepEqual(await namesOf('Wrong'), []);

  await button(page, 'Choose the corrected file').click();
  await choose(page, 'keys.csv', `name,hash\nWrong again,${sha256(revoked.apiKey)}`);
  await button(page, 'Check 1 key').click();
  await page
    .getByText('this hash belongs to a revoked key or a retired secret, or is in use elsewhere')
    .waitFor();
});

test('if a key was revoked since the check, the import reports it and imports nothing', async (t) => {
  const apiKey = generateKey();
  const page = await dashboard.open(t, '/settings/api/import');
  const file = [
    { name: 'Since the check', hash: sha256(apiKey) },
    { name: 'Since the check too', hash: sha256('s') },
  ];
  await choose(page, 'keys.json', JSON.stringify(file));
  await button(page, 'Check 2 keys').click();
  await expectFocus(step(page, 'Ready to import 2 keys'));
  const keysToImport = [{ name: 'Elsewhere', hash: sha256(apiKey) }];
  assert.equal((await ada.call('POST', '/v1/api-keys/import', { keys: keysToImport })).status, 200);
  const response = await ada.call('GET', '/v1/api-keys?q=Elsewhere');
  await ada.revoke(keyListSchema.parse(response.body).data[0]?.id ?? '');
  await button(page, 'Import 2 keys').click();
  await expectFocus(step(page, 'Nothing can be imported yet'));
  assert.match(
    (await rows(page)).join('\n'),
    /^1 hash cannot be imported: this hash belongs to a revoked key/,
  );
  assert.deepEqual(await namesOf('Since'), []);
});

test('a file with full keys is rejected, and is not sent', async (t) => {
  const page = await dashboard.open(t, '/settings/api/import');
  const sent: string[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST') sent.push(request.url());
  });
  for (const key of [generateKey(), `sk_live_${'0aB'.repeat(12)}`, `Bearer ${generateKey()}`]) {
    await choose(page, 'keys.csv', `name,hash,token\nProduction,${sha256(key)},${key}`);
    await expectText(
      page.getByRole('alert').first(),
      /^The column "token" contains full keys; import their SHA-256 instead\. The file was not sent\./,
    );
    assert.equal((await page.content()).includes(key), false, 'the page does not show the key');
  }
  assert.deepEqual(sent, []);
  await expectAccessible(page);
});

test('a file that is too large or cannot be read is explained', async (t) => {
  const page = await dashboard.open(t, '/settings/api/import');
  const many = Array.from({ length: 10_001 }, (_, n) => `Many ${n},${sha256(String(n))}`);
  await choose(page, 'keys.csv', ['name,hash', ...many].join('\n'));
  await expectText(
    page.getByRole('alert').first(),
    /^The file contains 10,001 keys\. An import can contain at most 10,000\.$/,
  );
  await page.getByText('npm run soku -- import keys.csv --dry-run').waitFor();
  await expectAccessible(page);
  for (const [name, text, problem] of [
    ['keys.csv', 'name,hash\n"unclosed,x', /^The file is not valid CSV: /],
    ['keys.csv', 'name,hash\nonly one cell', /^The file is not valid CSV: /],
    ['keys.csv', 'name,hash\n', /^The file contains no keys\.$/],
    ['keys.csv', 'name,name\na,b', /^Two columns have the same name\.$/],
    ['keys.json', '[{"name": ', /^The file is not valid JSON: /],
    ['keys.json', '"text"', /^The file is JSON, but not a list of objects/],
  ] as const) {
    await choose(page, name, text);
    await expectText(page.getByRole('alert').first(), problem);
  }
  await choose(page, 'keys.csv', 'x'.repeat(16 * 1024 * 1024 + 1));
  await expectText(page.getByRole('alert').first(), /^The file is larger than 16 MB\.$/);
  const buffer = Buffer.from('name,hash\nMüller,1', 'latin1');
  await page.getByLabel('File to import').setInputFiles({ name: 'keys.csv', mimeType: 'text/csv', buffer });
  await expectText(page.getByRole('alert').first(), /^The file is not UTF-8\./);
});

test('a dropped file is read like a chosen one', async (t) => {
  const page = await dashboard.open(t, '/settings/api/import');
  await page.getByRole('region', { name: 'File', exact: true }).waitFor();
  await page.evaluate(`{
    const transfer = new DataTransfer();
    transfer.items.add(new File(['name,hash\\nDropped,${sha256('dropped')}'], 'dropped.csv', { type: 'text/csv' }));
    document.querySelector('.file-drop').dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: transfer }));
  }`);
  await step(page, 'Columns of dropped.csv').waitFor();
});
