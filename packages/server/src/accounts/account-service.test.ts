import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { pino } from 'pino';
import { openTestDatabase, waitUntilBlocked } from '../../../../test/support/open-database.ts';
import type { Database } from '../database/open.ts';
import { systemActor } from '../events/actor.ts';
import { RequestError } from '../http/errors.ts';
import { AccountService } from './account-service.ts';
import { createAuth } from './auth.ts';
import { PasswordHasher } from './password-hasher.ts';

const ada = { name: 'Ada', email: 'ada@example.com', password: 'correct horse battery' };

/** Does not hash, so that creating an account holds its lock only briefly. */
class QuickHasher extends PasswordHasher {
  override async hash(password: string): Promise<string> {
    return `plain ${password}`;
  }

  override async verify(password: string, hash: string) {
    return { matches: hash === `plain ${password}` };
  }

  override async isCommon(): Promise<boolean> {
    return false;
  }
}

const passwords = new QuickHasher();

async function setUp(which: 'sqlite' | 'postgres') {
  const { database, close } = await openTestDatabase(which);
  after(close);
  const auth = createAuth({
    database,
    secret: 'a secret that is only for the tests',
    publicUrl: 'http://localhost:3000',
    trustedOrigins: [],
    passwords,
    log: pino({ level: 'silent' }),
  });
  // Each process has its own setup code.
  return {
    auth,
    database,
    nodes: [
      new AccountService(auth, database.kysely, passwords),
      new AccountService(auth, database.kysely, passwords),
    ],
  };
}

const messageOf = (error: unknown) =>
  error instanceof RequestError && error.problem.code === 'invalid_request'
    ? error.message
    : Promise.reject(error);

for (const which of ['sqlite', 'postgres'] as const) {
  /** Lets both continue once each has reached the accounts table, or waits for the other. */
  const atOnce = async <T>(database: Database, work: () => Promise<T>[]): Promise<T[]> => {
    if (database.kind === 'sqlite') return Promise.all(work());
    const session = await database.pool.connect();
    try {
      await session.query('BEGIN; LOCK TABLE "user" IN ACCESS EXCLUSIVE MODE');
      const begun = work();
      await waitUntilBlocked(database, begun);
      await session.query('COMMIT');
      return await Promise.all(begun);
    } finally {
      session.release();
    }
  };

  test(`of two concurrent accounts with one address, one is created and the other is rejected, on ${which}`, async () => {
    const { database, nodes } = await setUp(which);
    const outcomes = await atOnce(database, () =>
      nodes.map((node) => node.createAccount(ada, systemActor).catch(messageOf)),
    );
    const [rejection, id] = outcomes.toSorted();
    assert.equal(rejection, 'An account with this email address already exists.');
    assert.match(id ?? '', /^usr_/);
    const [account, ...more] = (await nodes[0]?.listAccounts()) ?? [];
    assert.deepEqual(more, []);
    assert.equal(account?.email, ada.email);
    assert.match(account?.createdAt ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  test(`of two concurrent first accounts, only one is created, on ${which}`, async () => {
    const { database, nodes } = await setUp(which);
    const owner = { email: ada.email, password: ada.password };
    const codes = await Promise.all(nodes.map((node) => node.prepareFirstAccount(owner)));
    assert.deepEqual(codes, [undefined, undefined]);
    assert.equal((await database.kysely.selectFrom('workspace').select('id').execute()).length, 1);
    for (const node of nodes) assert.equal(await node.setupNeeded(), false);
  });

  test(`a setup code becomes invalid when another account is created, on ${which}`, async () => {
    const { nodes } = await setUp(which);
    const [one, other] = nodes;
    assert.ok(one !== undefined && other !== undefined);
    const code = await one.prepareFirstAccount(undefined);
    assert.ok(code !== undefined);
    assert.equal(await one.setupNeeded(), true);
    await other.createAccount(ada, systemActor);
    assert.equal(await one.setupNeeded(), false);
    const late = { ...ada, email: 'eve@example.com' };
    assert.match(String(await one.setUp(code, late, systemActor).catch(messageOf)), /already used/);
    assert.equal((await one.listAccounts()).length, 1);
  });

  test(`a password reset ends the sessions of the account and requires one to exist, on ${which}`, async () => {
    const { auth, database, nodes } = await setUp(which);
    await nodes[0]?.createAccount(ada, systemActor);
    const sessions = () => database.kysely.selectFrom('session').select('id').execute();
    const signIn = (password: string) => auth.api.signInEmail({ body: { email: ada.email, password } });
    await signIn(ada.password);
    assert.equal((await sessions()).length, 1);
    await nodes[1]?.resetPassword(ada.email, 'another good one', systemActor);
    assert.deepEqual(await sessions(), []);
    await assert.rejects(signIn(ada.password));
    await signIn('another good one');
    await assert.rejects(
      async () => nodes[1]?.resetPassword('eve@example.com', 'another good one', systemActor),
      /No account/,
    );
  });
}
