/** Runs the operator's command as a shell does. */
import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { generateKey } from '@soku/key';
import { runOperatorInProcess, runOperatorInProcessOn } from '../support/operator-in-process.ts';
import { call } from '../support/person.ts';
import { onPostgres } from '../support/run-sql.ts';
import { newDataDir, onePublicUrl, owner, runOperator, startServer } from '../support/server.ts';

const root = newDataDir();
after(() => rmSync(root, { recursive: true, force: true }));

let directories = 0;
const freshDirectory = () => join(root, `data ${++directories}`);
const password = 'long enough to be one';
const add = (email: string, dataDir: string) =>
  runOperatorInProcessOn(dataDir, ['account', 'add', email], { input: `${password}\n` });

/** Runs command lines that open no data: the first as a process, the others here. */
async function runEach(commandLines: string[][], check: (code: number | null, output: string) => void) {
  for (const [i, args] of commandLines.entries()) {
    const dataDir = freshDirectory();
    const input = `${password}\n`;
    const result =
      i === 0
        ? await runOperator(args, { dataDir, input })
        : await runOperatorInProcess(args, { SOKU_DATA_DIR: dataDir }, input);
    check(result.code, `${args.join(' ')}\n${result.output}`);
    assert.ok(!existsSync(dataDir), args.join(' '));
  }
}

test('--help and a missing command print the usage and open no data', async () => {
  const commandLines = [['--help'], ['-h'], [], ['account', '--help']];
  await runEach(commandLines, (code, output) => {
    assert.equal(code, 0);
    assert.match(output, /^.*\nUsage: npm run soku -- <command>/);
    for (const command of [
      'backup',
      'restore',
      'move-to-postgres',
      'account add',
      'account reset-password',
      'audit export',
      'audit verify',
      'import',
    ]) {
      assert.ok(output.includes(command));
    }
  });
});

test('an invalid command line exits with code 64 and one line, and opens no data', async () => {
  const invalid = [
    ['frobnicate'],
    ['account'],
    ['account', 'frobnicate'],
    ['account', 'list', 'ada@example.com'],
    ['account', 'add', 'ada@example.com', 'more'],
    ['account', 'add'],
    ['account', 'add', 'no address'],
    ['account', 'reset-password'],
    ['account', 'add', 'ada@example.com', '--name', ' '],
    ['--frobnicate'],
    ['backup'],
    ['restore'],
    ['restore', 'one', 'two'],
    ['backup', 'one', '--name', 'Ada'],
    ['move-to-postgres', 'one'],
    ['audit', 'export'],
    ['audit', 'export', 'one', 'two'],
    ['audit', 'export', 'one', '--anchor', 'two'],
    ['audit', 'verify', '--chain', 'accounts'],
    ['backup', 'one', '--chain', 'accounts'],
    ['account', 'add', 'ada@example.com', '--name'],
  ];
  await runEach(invalid, (code, output) => {
    assert.equal(code, 64, output);
    assert.match(output, /^.*\nsoku: .+ See: npm run soku -- --help\n$/);
  });
});

test('account add rejects a name that begins a key, even with a prefix of the deployment', async () => {
  const dataDir = freshDirectory();
  const env = { SOKU_KEY_PREFIX: 'acme_live_' };
  for (const name of [generateKey(), generateKey({ prefix: 'acme_live_' }), 'acme_live_a1B2c3D4e5F6g7H8']) {
    const command = ['account', 'add', 'ada@example.com', '--name', name];
    const { code, output } = await runOperatorInProcessOn(dataDir, command, { env, input: `${password}\n` });
    assert.equal(code, 64, output);
    assert.match(output, /^soku: --name must not contain an API key\./);
  }
  assert.ok(!existsSync(dataDir));
});

test('account add rejects duplicates and weak passwords, and added accounts are listed and can sign in', async () => {
  const dataDir = freshDirectory();
  const none = await runOperatorInProcessOn(dataDir, ['account', 'list']);
  assert.match(none.output, /^There are no accounts yet/);
  const addAda = ['account', 'add', 'Ada@Example.com', '--name', 'Ada Lovelace'];
  const added = await runOperator(addAda, { dataDir, input: `${password}\nmore\n` });
  assert.equal(added.code, 0);
  assert.match(added.output, /^Created the account ada@example\.com \(usr_[0-9A-Za-z]{26}\)\.\n$/);
  const twice = await add('ADA@example.com', dataDir);
  assert.deepEqual(twice, {
    code: 65,
    output: 'soku: An account with this email address already exists.\n',
  });
  const addBob = (input: string) =>
    runOperatorInProcessOn(dataDir, ['account', 'add', 'bob@example.com'], { input });
  for (const input of ['', '\n', 'short\n', `${'x'.repeat(129)}\n`]) {
    const { code, output } = await addBob(input);
    assert.equal(code, 64, output);
    assert.match(output, /^soku: The password must have at (least 8|most 128) characters/);
  }
  for (const input of ['Password1\n', 'BOB@example.com\n']) {
    const { code, output } = await addBob(input);
    assert.equal(code, 65, output);
    assert.match(output, /^soku: The password (is a common password|must not be your email address)/);
  }
  await add('bob@example.com', dataDir);
  const { output } = await runOperatorInProcessOn(dataDir, ['account', 'list']);
  const line = /^\d{4}-\d\d-\d\dT[\d:.]+Z {2}usr_[0-9A-Za-z]{26} {2}/gm;
  assert.equal(output.replace(line, ''), 'ada@example.com  Ada Lovelace\nbob@example.com  bob\n');
  const server = await startServer({ dataDir });
  try {
    await server.signIn({ email: 'ada@example.com', password });
    assert.doesNotMatch(server.output, /Set up Soku/);
  } finally {
    await server.stop();
  }
});

test('resetting a password of a stopped server replaces the old password and ends all sessions', async () => {
  const first = await startServer({ env: onePublicUrl });
  const { cookie } = await first.signIn();
  const { dataDir } = first;
  const input = 'another good one\n';
  // On PostgreSQL the command may run while a server does.
  if (!onPostgres) {
    const { code, output } = await runOperatorInProcessOn(
      dataDir,
      ['account', 'reset-password', owner.email],
      { input },
    );
    assert.equal(code, 73);
    assert.match(
      output,
      new RegExp(`^soku: .*in use by another Soku process \\(process ${first.pid}\\).*\n$`),
    );
    assert.equal((await call(`${first.url}/v1/api-keys`, { headers: { cookie } })).status, 200);
  }
  await first.kill('SIGTERM');
  const reset = await runOperator(['account', 'reset-password', owner.email], { dataDir, input });
  assert.equal(reset.code, 0, reset.output);
  assert.match(
    reset.output,
    /^Reset the password of ada@example\.com \(usr_[0-9A-Za-z]{26}\) and ended all sessions of the account/,
  );
  const unknown = await runOperatorInProcessOn(dataDir, ['account', 'reset-password', 'eve@example.com'], {
    input,
  });
  assert.deepEqual(unknown, { code: 65, output: 'soku: No account has this email address.\n' });
  const server = await startServer({ dataDir, env: onePublicUrl });
  try {
    assert.equal((await call(`${server.url}/v1/api-keys`, { headers: { cookie } })).status, 401);
    await assert.rejects(server.signIn(), /401/);
    await server.signIn({ ...owner, password: 'another good one' });
  } finally {
    await server.stop();
    await first.stop();
  }
});

test('on PostgreSQL, account commands take effect on a running server', async () => {
  const server = await startServer({ database: 'postgres' });
  try {
    const { dataDir } = server;
    const { cookie } = await server.signIn();
    assert.equal((await add('eve@example.com', dataDir)).code, 0);
    await server.signIn({ email: 'eve@example.com', password });
    const input = 'another good one\n';
    const reset = await runOperatorInProcessOn(dataDir, ['account', 'reset-password', owner.email], {
      input,
    });
    assert.equal(reset.code, 0, reset.output);
    assert.equal((await call(`${server.url}/v1/api-keys`, { headers: { cookie } })).status, 401);
    await server.signIn({ ...owner, password: 'another good one' });
  } finally {
    await server.stop();
  }
});
