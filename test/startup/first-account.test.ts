/** How the first account comes to be: out of the environment, or by the code that the first start prints. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, test } from 'node:test';
import { sessionSchema } from '@soku/contract/accounts';
import { assertRefusal } from '../support/contract.ts';
import { inDatabase, onPostgres } from '../support/in-database.ts';
import { type Answer, call, cookiesOf, Person } from '../support/person.ts';
import {
  newDataDir,
  owner,
  runOperator,
  spawnServer,
  startServer,
  type TestServer,
} from '../support/server.ts';

const withoutOwner = { SOKU_OWNER_EMAIL: undefined, SOKU_OWNER_PASSWORD: undefined };
const eve = { name: 'Eve', email: 'eve@example.com', password: 'long enough to be one' };

/** Starts a server without an account, gives it to the work, and stops it. */
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

const setUp = (server: TestServer, code: string, account: object = eve): Promise<Answer> =>
  call(`${server.url}/api/setup`, { method: 'POST', body: { code, ...account } });

async function setupNeeded(server: TestServer): Promise<boolean> {
  return sessionSchema.parse((await call(`${server.url}/api/session`)).body).setupNeeded;
}

const dataDir = newDataDir();
after(() => rmSync(dataDir, { recursive: true, force: true }));

test('an owner in the environment is made at the first start, and no setup code is printed', async () => {
  const server = await startServer();
  try {
    assert.equal((await (await server.signIn()).call('GET', '/v1/api-keys')).status, 200);
    assert.equal(await setupNeeded(server), false);
    assertRefusal(await setUp(server, 'x'), 'invalid_request');
    assert.doesNotMatch(server.output, /setup|correct horse/i);
  } finally {
    await server.stop();
  }
});

test('until there is a key, each start warns of a prefix that scanners take for one of Stripe', async () => {
  const warning = /New keys begin with sk_live_, as Stripe's do/;
  const dataDir = newDataDir();
  try {
    const first = await startServer({ dataDir });
    await (await first.signIn()).makeKey({ name: 'first' });
    assert.match(first.output, warning);
    await first.stop();
    const second = await startServer({ dataDir });
    await second.stop();
    assert.doesNotMatch(second.output, warning);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
  const other = await startServer({ env: { SOKU_KEY_PREFIX: 'acme_live_' } });
  await other.stop();
  assert.doesNotMatch(other.output, /New keys begin/);
});

test('an owner in the environment changes nothing once there is an account', async () => {
  const added = await runOperator(['account', 'add', eve.email], { dataDir, input: `${eve.password}\n` });
  assert.equal(added.code, 0, added.output);
  const server = await startServer({ dataDir });
  try {
    assert.equal((await (await server.signIn(eve)).call('GET', '/v1/api-keys')).status, 200);
    await assert.rejects(server.signIn(owner), /401/);
  } finally {
    await server.stop();
  }
});

test('without one, the setup code is printed once, makes the owner, and signs in', async () => {
  await withEmptyServer(async (server, code) => {
    assert.equal(await setupNeeded(server), true);
    assert.equal(server.output.split(code).length, 2, 'printed once');
    const answer = await setUp(server, code);
    assert.equal(answer.status, 201, answer.text);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    const person = new Person(server.url, cookiesOf(answer.headers));
    assert.equal((await person.makeKey({ name: 'first' })).key.status, 'active');
    assert.equal(await setupNeeded(server), false);
    assert.equal((await server.signIn(eve)).cookie.length > 0, true);
    assertRefusal(await setUp(server, code, { ...eve, email: 'mallory@example.com' }), 'invalid_request');
    await assert.rejects(server.signIn({ ...eve, email: 'mallory@example.com' }), /401/);
  });
});

test('without the code nobody makes an account', async () => {
  await withEmptyServer(async (server, code) => {
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
      const error = assertRefusal(await setUp(server, attempt), 'invalid_request');
      assert.equal(error.details?.[0]?.path, 'code');
      assert.ok(!JSON.stringify(error).includes(code));
    }
    await assert.rejects(server.signIn(eve), /401/);
    assert.equal(await setupNeeded(server), true);
  });
});

test('a setup that was refused for another field does not use the code up', async () => {
  await withEmptyServer(async (server, code) => {
    const wrong = [
      ['email', { ...eve, email: 'no address' }],
      ['password', { ...eve, password: 'short' }],
      ['password', { ...eve, password: 'x'.repeat(129) }],
      ['name', { ...eve, name: ' ' }],
      ['body', { ...eve, role: 'admin' }],
    ] as const;
    for (const [path, account] of wrong) {
      const error = assertRefusal(await setUp(server, code, account), 'invalid_request');
      assert.deepEqual(
        error.details?.map((detail) => detail.path),
        [path],
      );
      assert.ok(!JSON.stringify(error).includes(code));
    }
    assert.equal((await setUp(server, code)).status, 201);
  });
});

test('a setup that failed inside does not use the code up, and leaves no half account', async () => {
  await withEmptyServer(async (server, code) => {
    await inDatabase(server, 'ALTER TABLE workspace_member RENAME TO gone');
    assertRefusal(await setUp(server, code), 'internal_error');
    await inDatabase(server, 'ALTER TABLE gone RENAME TO workspace_member');
    assert.equal((await setUp(server, code)).status, 201);
  });
});

test('of ten setups at once with the right code one makes an account', async () => {
  await withEmptyServer(async (server, code) => {
    const emails = Array.from({ length: 10 }, (_, at) => `person${at}@example.com`);
    const answers = await Promise.all(emails.map((email) => setUp(server, code, { ...eve, email })));
    assert.equal(answers.filter((answer) => answer.status === 201).length, 1);
    for (const answer of answers.filter((other) => other.status !== 201)) {
      // One request of an address waits for its turn; the others are rejected before.
      assertRefusal(answer, answer.status === 503 ? 'server_busy' : 'invalid_request');
    }
    await server.kill('SIGTERM');
    const listed = await runOperator(['account', 'list'], { dataDir: server.dataDir });
    assert.equal(listed.output.trim().split('\n').length, 1, listed.output);
  });
});

test('the code is printed at every log level, because without it nobody can ever sign in', async () => {
  for (const LOG_LEVEL of ['warn', 'silent']) {
    const server = await spawnServer({ env: { ...withoutOwner, LOG_LEVEL } });
    try {
      await server.printed('Set up Soku: ');
      // A busy machine may have something to warn of.
      const lines = server.output.split('\n').filter((line) => !line.startsWith('{'));
      assert.match(lines.join('\n'), /^Set up Soku: http:\/\/localhost:\d+\/setup\?code=[\w-]+\n$/);
    } finally {
      await server.stop();
    }
  }
});

test('a code of the process before is worth nothing', {
  skip: onPostgres && 'all processes have the same one: test/nodes/accounts.test.ts',
}, async () => {
  const directory = newDataDir();
  const codes: string[] = [];
  try {
    for (let start = 0; start < 2; start++) {
      const server = await startServer({ env: withoutOwner, dataDir: directory });
      try {
        await server.printed('Set up Soku: ');
        codes.push(/code=([\w-]+)/.exec(server.output)?.[1] ?? '');
        if (start === 1) assertRefusal(await setUp(server, codes[0] ?? ''), 'invalid_request');
      } finally {
        await server.stop();
      }
    }
    assert.notEqual(codes[0], codes[1]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test('a common password and the own e-mail address make no account, at the setup or from the environment', async () => {
  await withEmptyServer(async (server, code) => {
    for (const password of ['PassWord1', 'EVE@example.com']) {
      const { details } = assertRefusal(
        await setUp(server, code, { ...eve, email: 'eve@example.com', password }),
        'invalid_request',
      );
      assert.equal(details?.[0]?.path, 'password');
    }
    assert.equal((await setUp(server, code)).status, 201);
  });
  for (const SOKU_OWNER_PASSWORD of ['iloveyou', 'Ada@Example.com']) {
    const server = await spawnServer({ env: { SOKU_OWNER_PASSWORD } });
    assert.equal((await server.exited()).code, 78, server.output);
    assert.match(server.output, /^soku: SOKU_OWNER_PASSWORD (is a common password|must not be your e-mail)/m);
    await server.stop();
  }
});
