/** A wrong variable stops the start of a real process with 78 and one line. The rules are in config.test.ts. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createdKeySchema } from '@soku/contract/keys';
import { generateKey } from '@soku/key';
import { assertRefusal } from '../support/contract.ts';
import { bearer, call } from '../support/person.ts';
import { startServer } from '../support/server.ts';
import { refusedStart } from '../support/start.ts';

const dataDir = join(tmpdir(), `soku-test-never-made-${process.pid}`);

/** One wrong value of each variable that can have one. */
const wrong = {
  PORT: '65536',
  SOKU_PUBLIC_URL: 'keys.example.com',
  SOKU_SECRET: 'Tr0ub4dor',
  SOKU_KEY_PREFIX: 'SK',
  SOKU_ACCEPTED_PREFIXES: 'sk_live_;x',
  SOKU_OWNER_EMAIL: 'ada',
  SOKU_OWNER_PASSWORD: 'Tr0ub4d',
  SOKU_MAX_ACTIVE_KEYS: 'many',
  SOKU_CACHE_KEYS: '0',
  LOG_LEVEL: 'loud',
  TRUST_PROXY: 'everybody',
};

for (const [name, value] of Object.entries(wrong)) {
  test(`a wrong ${name} ends with 78, one line with its name and an example, and nothing made`, async () => {
    const line = await refusedStart(78, { dataDir, env: { PORT: '1', [name]: value } });
    assert.match(line, new RegExp(`^soku: ${name} .+ Example: ${name}=`));
    assert.doesNotMatch(line, /Tr0ub4d/);
    assert.ok(!existsSync(dataDir));
  });
}

test('half an owner ends with 78 by the name of the other half', async () => {
  const line = await refusedStart(78, { dataDir, env: { PORT: '1', SOKU_OWNER_PASSWORD: undefined } });
  assert.match(line, /^soku: SOKU_OWNER_PASSWORD is missing/);
  assert.ok(!existsSync(dataDir));
});

test('a variable of a later version ends with 78, and its value is not told', async () => {
  const env = { PORT: '1', SMTP_URL: 'smtp://ada:Tr0ub4dor@localhost' };
  const line = await refusedStart(78, { dataDir, env });
  assert.match(line, /^soku: SMTP_URL is set, but this version/);
  assert.doesNotMatch(line, /Tr0ub4dor|smtp:/);
  assert.ok(!existsSync(dataDir));
});

test('keys are made with the configured prefix, and accepted with the further ones', async () => {
  const server = await startServer({
    env: { SOKU_KEY_PREFIX: 'acme_2_', SOKU_ACCEPTED_PREFIXES: 'sk_live_' },
  });
  try {
    const ada = await server.signIn();
    const { apiKey, key } = createdKeySchema.parse(await ada.makeKey({ name: 'prefixed' }));
    assert.match(apiKey, /^acme_2_[0-9A-Za-z]{32}$/);
    assert.match(key.preview, /^acme_2_...\.\.\....$/);
    const me = (value: string) => call(`${server.url}/v1/me`, { headers: bearer(value) });
    assert.equal((await me(apiKey)).status, 200);
    assertRefusal(await me(generateKey({ prefix: 'sk_live_' })), 'unknown_key');
    assertRefusal(await me(generateKey({ prefix: 'other_' })), 'malformed_key');
    assert.match(assertRefusal(await me(''), 'malformed_authorization').message, /Bearer/);
    const none = await call(`${server.url}/v1/me`);
    assert.match(assertRefusal(none, 'missing_authorization').message, /Bearer acme_2_\.\.\./);
  } finally {
    await server.stop();
  }
});

test('keys of a prefix that is accepted no more are refused, and good again when it is', async () => {
  const first = await startServer();
  const { apiKey } = await (await first.signIn()).makeKey({ name: 'old prefix' });
  await first.kill('SIGTERM');
  const statuses: number[] = [];
  for (const SOKU_ACCEPTED_PREFIXES of ['', 'sk_live_']) {
    const env = { SOKU_KEY_PREFIX: 'new_', SOKU_ACCEPTED_PREFIXES };
    const server = await startServer({ dataDir: first.dataDir, env });
    statuses.push((await call(`${server.url}/v1/me`, { headers: bearer(apiKey) })).status);
    await server.stop();
  }
  await first.stop();
  assert.deepEqual(statuses, [401, 200]);
});

test('a configured secret is used, and none is written', async () => {
  const secret = 'a secret of thirty-two characters or more';
  const server = await startServer({ isFresh: true, env: { SOKU_SECRET: secret } });
  try {
    await server.signIn();
    assert.ok(!existsSync(join(server.dataDir, 'secret')));
  } finally {
    await server.stop();
  }
});
