/** The operator's import of a file: formats, problems by line, and that running servers accept the keys. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { keyListSchema } from '@soku/contract/keys';
import { generateKey } from '@soku/key';
import { runOperatorInProcessOn } from '../support/operator-in-process.ts';
import { bearer, call } from '../support/person.ts';
import { onPostgres } from '../support/run-sql.ts';
import { fillDataDir, newDataDir, runOperator, startServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { addTwoAccounts } from '../support/two-accounts.ts';

const root = newDataDir();
after(() => rmSync(root, { recursive: true, force: true }));
let files = 0;

function fileOf(content: string | Buffer, extension = 'csv'): string {
  const file = join(root, `${++files}.${extension}`);
  writeFileSync(file, content);
  return file;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const newHash = () => randomBytes(32).toString('hex');

/** A data directory with one account, which no server uses. */
const dataDir = join(root, 'data');
if (!(await fillDataDir(dataDir))) await (await startServer({ dataDir })).stop();

const run = (file: string, ...options: string[]) =>
  runOperatorInProcessOn(dataDir, ['import', file, ...options]);

/** Fails unless the file is rejected with these lines. */
async function assertRejected(content: string | Buffer, lines: RegExp[], extension = 'csv'): Promise<void> {
  const { code, output } = await run(fileOf(content, extension));
  assert.equal(code, 65, output);
  const printed = output.trimEnd().split('\n');
  assert.equal(printed.length, lines.length, output);
  for (const [i, line] of lines.entries()) assert.match(printed[i] ?? '', line);
}

test('keys of CSV and JSON files are imported, and accepted by the next server', async (t) => {
  const apiKeys = Array.from({ length: 4 }, () => generateKey());
  const [one = '', two = '', three = '', four = ''] = apiKeys.map(sha256);
  const csv = `\ufeffName,hash,preview_start,scopes,metadata\r\n"Billing, EU",${one},sk_live_ab,keys:read keys:verify,"{""plan"":""pro""}"\r\n\r\n"Two\nlines",${newHash()},,,\r\nOther,${two},,,`;
  await assertRejected(csv, [/^soku: line 5, column name: must not contain control/, /Nothing was imported/]);
  const file = fileOf(csv.replace('Two\n', 'Two '));
  const dry = await run(file, '--dry-run');
  assert.deepEqual(
    [dry.code, dry.output],
    [0, 'Nothing was imported (--dry-run). The file has 3 new keys.\n'],
  );
  const first = await runOperator(['import', file], { dataDir });
  assert.equal(first.code, 0, first.output);
  assert.match(first.output, /^Imported 3 keys to the workspace ws_\w+\.\n$/);
  const again = await run(file);
  assert.match(again.output, /^Imported 0 keys to .+ 3 keys existed already and did not change\.\n$/);
  const json = JSON.stringify({ keys: [{ name: 'three', hash: three, expiresAt: null }] });
  assert.equal((await run(fileOf(json, 'txt'), '--format', 'json')).code, 0);
  assert.equal((await run(fileOf(JSON.stringify([{ name: 'four', hash: four }]), 'json'))).code, 0);

  const server = await startServer({ dataDir });
  t.after(() => server.stop());
  for (const apiKey of apiKeys)
    assert.equal((await call(`${server.url}/v1/me`, { headers: bearer(apiKey) })).status, 200);
  const ada = await openSession(server);
  const { body } = await ada.call('GET', `/v1/api-keys?hash=${one}`);
  const [key] = keyListSchema.parse(body).data;
  assert.deepEqual(
    [key?.name, key?.preview, key?.scopes, key?.metadata, key?.createdBy],
    ['Billing, EU', 'sk_live_ab...', ['keys:read', 'keys:verify'], { plan: 'pro' }, 'operator'],
  );
  const audit = await ada.call('GET', '/v1/audit?action=key.imported&actorId=operator');
  assert.match(audit.text, /"imported":3,"unchanged":0/);
});

test('problems are listed with line and column, and nothing is imported', async () => {
  const twice = newHash();
  const rows = [
    `good,${newHash()},,`,
    `,${newHash()},,`,
    `b,xyz,,`,
    `c,${twice},,`,
    `d,${twice},,`,
    `e,${newHash()}`,
    `f,${newHash()},-1,`,
    `g,${newHash()},,keys:read No`,
    `h,${newHash()},,keys:read none:such`,
  ];
  await assertRejected(`name,hash,rateLimit,scopes\n${rows.join('\n')}\n`, [
    /^soku: line 3, column name: must not be empty/,
    /^soku: line 4, column hash: must be a SHA-256/,
    /^soku: line 6, column hash: must not occur twice/,
    /^soku: line 7: has 2 cells, and the header has 4/,
    /^soku: line 8, column rateLimit: must be a whole number/,
    /^soku: line 9, column scopes: must be a scope/,
    /^soku: line 10, column scopes: is none:such, which is not in the scope catalog/,
    /^soku: Nothing was imported, because .+ has 7 problems\./,
  ]);
  await assertRejected(
    JSON.stringify([{ name: 'a', hash: 'b' }, 5]),
    [/^soku: key 0, field hash: must be/, /^soku: key 1, field key: must be an object/, /2 problems/],
    'json',
  );
  const many = Array.from({ length: 1200 }, () => ',').join('\n');
  const { output } = await run(fileOf(`name,hash\n${many}`));
  assert.equal(output.trimEnd().split('\n').length, 101);
  assert.match(output, /has at least 100 problems/);
});

test('a file without the format is rejected in one line that repeats no key', async () => {
  const apiKey = generateKey();
  for (const [content, reason, extension] of [
    ['', /it is empty/],
    ['name,hash,api key\n', /in the header, column 3 is not a field of a key/],
    [`${apiKey},x\n`, /in the header, column 1 is not a field/],
    ['name\nx\n', /the column hash is missing/],
    [`name,hash\n"${apiKey},x\n`, /Quote Not Closed/],
    [`name,hash\n${'x'.repeat(70_000)}\n`, /Max Record Size/],
    ['{', /not JSON/, 'json'],
    ['{"key":[]}', /neither a list of keys nor an object/, 'json'],
    [Buffer.from('["\xff"]', 'latin1'), /not JSON in UTF-8/, 'json'],
  ] as const) {
    const { code, output } = await run(fileOf(content, extension));
    assert.equal(code, 65, output);
    assert.match(output, reason);
    assert.equal(output.trimEnd().split('\n').length, 1, output);
    assert.ok(!output.includes(apiKey.slice(8)), output);
  }
  await assertRejected(Buffer.from(`name,hash\nM\xfcnchen,${newHash()}\n`, 'latin1'), [
    /^soku: line 2: is not UTF-8/,
    /Nothing/,
  ]);
  const missing = await run(join(root, 'missing.csv'));
  assert.deepEqual([missing.code, missing.output.split('\n').length], [73, 2], missing.output);
});

test('an import beyond the maximum number of active keys imports nothing', async () => {
  const rows = Array.from({ length: 1500 }, (_, i) => `key ${i},${newHash()}`);
  const { code, output } = await runOperatorInProcessOn(
    dataDir,
    ['import', fileOf(`name,hash\n${rows.join('\n')}`)],
    {
      env: { SOKU_MAX_ACTIVE_KEYS: '1500' },
    },
  );
  assert.equal(code, 65, output);
  assert.match(output, /^soku: .+ more than 1500 active keys.+SOKU_MAX_ACTIVE_KEYS\.\n$/);
});

test('with several workspaces, one must be named', async () => {
  const two = join(root, 'two');
  if (!(await fillDataDir(two, { accounts: 'two' }))) await addTwoAccounts(two);
  const file = fileOf(`name,hash\nx,${newHash()}\n`);
  const unnamed = await runOperatorInProcessOn(two, ['import', file]);
  assert.equal(unnamed.code, 64);
  const ids = unnamed.output.match(/ws_\w+/g) ?? [];
  assert.equal(ids.length, 2, unnamed.output);
  const named = await runOperatorInProcessOn(two, ['import', file, '--workspace', ids[1] ?? '']);
  assert.match(named.output, new RegExp(`^Imported 1 key to the workspace ${ids[1]}\\.`));
  const other = await runOperatorInProcessOn(two, ['import', file, '--workspace', ids[0] ?? '']);
  assert.equal(other.code, 65);
  assert.match(
    other.output,
    /^soku: line 2, column hash: is in use elsewhere, or was revoked \(hash_unavailable\)/,
  );
  const wrong = await runOperatorInProcessOn(two, ['import', file, '--workspace', 'ws_none']);
  assert.equal(wrong.code, 64);
});

test('while a server uses the data directory, the command explains what to do; with PostgreSQL it works', async (t) => {
  const server = await startServer({ dataDir });
  t.after(() => server.stop());
  const apiKey = generateKey();
  const verify = async () => (await call(`${server.url}/v1/me`, { headers: bearer(apiKey) })).status;
  for (let i = 0; i < 2; i++) assert.equal(await verify(), 401);
  const { code, output } = await run(fileOf(`name,hash\nlate,${sha256(apiKey)}\n`));
  if (onPostgres) {
    assert.equal(code, 0, output);
    assert.equal(await verify(), 200);
    return;
  }
  assert.equal(code, 73);
  assert.match(output, /^soku: The data directory .+ is in use .+ POST \/v1\/api-keys\/import\.\n$/);
});
