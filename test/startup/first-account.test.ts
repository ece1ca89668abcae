/** The first account is created from environment variables, or with the setup code that the first start prints. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { sessionSchema } from '@soku/contract/accounts';
import { assertProblem } from '../support/contract.ts';
import { call, cookiesOf, type HttpResponse, Person } from '../support/person.ts';
import { onPostgres, runSql } from '../support/run-sql.ts';
import { newDataDir, owner, spawnServer, startServer, type TestServer } from '../support/server.ts';

const withoutOwner = { SOKU_OWNER_EMAIL: undefined, SOKU_OWNER_PASSWORD: undefined };
const eve = { name: 'Eve', email: 'eve@example.com', password: 'long enough to be one' };

/** Runs `work` with a new server without accounts. */
async function withEmptyServer(
  work: (server: TestServer, code: string) => Promise<void>,
  env: Record<string, string> = {},
): Promise<void> {
  const server = await startServer({ env: { ...withoutOwner, ...env } });
  try {
    await server.printed('Set up Soku: ');
    const code = /Set up Soku: http:\/\/localhost:\d+\/setup\?code=([\w-]+)/.exec(server.output)?.[1];
    assert.ok(code !== undefined, server.output);
    await work(server, code);
  } finally {
    await server.stop();
  }
}

const setUp = (server: TestServer, code: string, account: object = eve): Promise<HttpResponse> =>
  call(`${server.url}/api/setup`, { method: 'POST', body: { code, ...account } });

async function setupNeeded(server: TestServer): Promise<boolean> {
  return sessionSchema.parse((await call(`${server.url}/api/session`)).body).setupNeeded;
}

test('the first start creates the owner from the environment, and later starts ignore the variables', async () => {
  const warning = /New keys begin with sk_live_, like Stripe's/;
  const first = await startServer({ isFresh: true });
  const { dataDir } = first;
  try {
    const ada = await first.signIn();
    assert.equal(await setupNeeded(first), false);
    assertProblem(await setUp(first, 'x'), 'invalid_request');
    assert.doesNotMatch(first.output, /setup|correct horse/i);
    // Until a key exists, each start warns of a prefix that secret scanners attribute to Stripe.
    assert.match(first.output, warning);
    await ada.createKey({ name: 'first' });
    await first.kill('SIGTERM');
    const env = { SOKU_OWNER_EMAIL: eve.email, SOKU_OWNER_PASSWORD: eve.password };
    const second = await startServer({ dataDir, env });
    try {
      assert.doesNotMatch(second.output, warning);
      await assert.rejects(second.signIn(eve), /401/);
      assert.equal((await (await second.signIn(owner)).call('GET', '/v1/api-keys')).status, 200);
    } finally {
      await second.stop();
    }
  } finally {
    await first.stop();
  }
});

test('without an owner, the setup code is printed once, stays valid after failed attempts, creates the owner and signs in', async (t) => {
  await withEmptyServer(async (server, code) => {
    assert.equal(await setupNeeded(server), true);
    assert.equal(server.output.split(code).length, 2, 'printed once');

    await t.test('without the correct code, no account is created', async () => {
      const wrong = [
        '',
        'x',
        code.slice(1),
        `${code} `,
        code.toUpperCase(),
        `${code.slice(0, -1)}x`,
        'x'.repeat(201),
      ];
      for (const attempt of wrong) {
        const error = assertProblem(await setUp(server, attempt), 'invalid_request');
        assert.equal(error.details?.[0]?.path, 'code');
        assert.ok(!JSON.stringify(error).includes(code));
      }
      await assert.rejects(server.signIn(eve), /401/);
      assert.equal(await setupNeeded(server), true);
    });

    await t.test('an invalid field is reported by name', async () => {
      const wrong = [
        ['email', { ...eve, email: 'no address' }],
        ['password', { ...eve, password: 'short' }],
        ['password', { ...eve, password: 'x'.repeat(129) }],
        ['password', { ...eve, password: 'PassWord1' }],
        ['password', { ...eve, password: 'EVE@example.com' }],
        ['name', { ...eve, name: ' ' }],
        ['body', { ...eve, role: 'admin' }],
      ] as const;
      for (const [path, account] of wrong) {
        const error = assertProblem(await setUp(server, code, account), 'invalid_request');
        assert.deepEqual(
          error.details?.map((detail) => detail.path),
          [path],
        );
        assert.ok(!JSON.stringify(error).includes(code));
      }
    });

    await t.test('an internal error leaves no partial account', async () => {
      await runSql(server, 'ALTER TABLE workspace_member RENAME TO gone');
      assertProblem(await setUp(server, code), 'internal_error');
      await runSql(server, 'ALTER TABLE gone RENAME TO workspace_member');
      assert.deepEqual(await runSql(server, 'SELECT id FROM "user"'), []);
    });

    const response = await setUp(server, code);
    assert.equal(response.status, 201, response.text);
    assert.equal(response.headers.get('cache-control'), 'no-store');
    const person = new Person(server.url, cookiesOf(response.headers));
    assert.equal((await person.createKey({ name: 'first' })).key.status, 'active');
    assert.equal(await setupNeeded(server), false);
    assert.equal((await server.signIn(eve)).cookie.length > 0, true);
    assertProblem(await setUp(server, code, { ...eve, email: 'mallory@example.com' }), 'invalid_request');
    await assert.rejects(server.signIn({ ...eve, email: 'mallory@example.com' }), /401/);
  });
});

test('of ten concurrent setups with the correct code, exactly one creates an account', async () => {
  await withEmptyServer(async (server, code) => {
    const emails = Array.from({ length: 10 }, (_, at) => `person${at}@example.com`);
    const responses = await Promise.all(emails.map((email) => setUp(server, code, { ...eve, email })));
    assert.equal(responses.filter((response) => response.status === 201).length, 1);
    for (const response of responses.filter((other) => other.status !== 201)) {
      // One request per address waits for its turn; the others are rejected immediately.
      assertProblem(response, response.status === 503 ? 'server_busy' : 'invalid_request');
    }
    assert.equal((await runSql(server, 'SELECT id FROM "user"')).length, 1);
  });
});

test('the setup code is printed at every log level, because no one can sign in without it', async (t) => {
  const dataDir = newDataDir();
  t.after(() => rmSync(dataDir, { recursive: true, force: true }));
  const codes: string[] = [];
  for (const LOG_LEVEL of ['warn', 'silent']) {
    const server = await spawnServer({ dataDir, env: { ...withoutOwner, LOG_LEVEL } });
    try {
      await server.printed('Set up Soku: ');
      // On a busy machine the log may contain warnings.
      const text = server.output
        .split('\n')
        .filter((line) => !line.startsWith('{'))
        .join('\n');
      const [, code = ''] =
        /^Set up Soku: http:\/\/localhost:\d+\/setup\?code=([\w-]+)\n$/.exec(text) ?? assert.fail(text);
      // On PostgreSQL all processes share one code; see test/nodes/accounts.test.ts.
      if (!onPostgres) {
        for (const earlier of codes) assertProblem(await setUp(server, earlier), 'invalid_request');
        assert.ok(!codes.includes(code), 'each process has a new code');
      }
      codes.push(code);
    } finally {
      await server.stop();
    }
  }
});

test('a weak password of the owner in the environment ends the start with code 78', async () => {
  const server = await spawnServer({ env: { SOKU_OWNER_PASSWORD: 'Ada@Example.com' } });
  try {
    assert.equal((await server.exited()).code, 78, server.output);
    assert.match(server.output, /^soku: SOKU_OWNER_PASSWORD must not be your email/m);
  } finally {
    await server.stop();
  }
});
