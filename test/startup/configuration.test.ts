/** An invalid variable makes a real process exit with code 78 and one line. config.test.ts tests the rules. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createdKeySchema } from '@soku/contract/keys';
import { generateKey } from '@soku/key';
import { assertProblem } from '../support/contract.ts';
import { bearer, call } from '../support/person.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { expectStartFailure } from '../support/start-failure.ts';

test('an invalid variable ends the start with code 78 and one line with its name and an example, and creates no files', async () => {
  const dataDir = join(tmpdir(), `soku-test-never-created-${process.pid}`);
  const line = await expectStartFailure(78, { dataDir, env: { PORT: '1', SOKU_SECRET: 'Tr0ub4dor' } });
  assert.match(line, /^soku: SOKU_SECRET .+ Example: SOKU_SECRET=/);
  assert.doesNotMatch(line, /Tr0ub4d/);
  assert.ok(!existsSync(dataDir));
});

test('new keys have the configured prefix, and keys with additional prefixes are accepted while these are configured', async () => {
  const first = await startServer({
    isFresh: true,
    env: {
      SOKU_KEY_PREFIX: 'acme_2_',
      SOKU_ACCEPTED_PREFIXES: 'sk_live_',
      SOKU_SECRET: 'a secret of thirty-two characters or more',
    },
  });
  try {
    const ada = await openSession(first);
    assert.ok(!existsSync(join(first.dataDir, 'secret')), 'no secret file is written if SOKU_SECRET is set');
    assert.doesNotMatch(first.output, /New keys begin/);
    const { apiKey, key } = createdKeySchema.parse(await ada.createKey({ name: 'prefixed' }));
    assert.match(apiKey, /^acme_2_[0-9A-Za-z]{32}$/);
    assert.match(key.preview, /^acme_2_...\.\.\....$/);
    const me = ({ url }: TestServer, value: string) => call(`${url}/v1/me`, { headers: bearer(value) });
    assert.equal((await me(first, apiKey)).status, 200);
    assertProblem(await me(first, generateKey({ prefix: 'sk_live_' })), 'unknown_key');
    assertProblem(await me(first, generateKey({ prefix: 'other_' })), 'malformed_key');
    assert.match(assertProblem(await me(first, ''), 'malformed_authorization').message, /Bearer/);
    const none = await call(`${first.url}/v1/me`);
    assert.match(assertProblem(none, 'missing_authorization').message, /Bearer acme_2_\.\.\./);
    await first.kill('SIGTERM');

    // A key is rejected while its prefix is not accepted, and accepted again afterwards.
    const statuses: number[] = [];
    for (const SOKU_ACCEPTED_PREFIXES of ['', 'acme_2_']) {
      const env = { SOKU_KEY_PREFIX: 'new_', SOKU_ACCEPTED_PREFIXES };
      const server = await startServer({ dataDir: first.dataDir, env });
      statuses.push((await me(server, apiKey)).status);
      await server.stop();
    }
    assert.deepEqual(statuses, [401, 200]);
  } finally {
    await first.stop();
  }
});
