/** Backups while a server is running. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Person } from '../support/person.ts';
import { openSession } from '../support/session.ts';
import { BackupFixture, kinds } from './fixture.ts';
import { seed } from './seed.ts';

const clients = 4;

/** Creates keys and revokes every second one, until it is stopped. */
class Work {
  readonly #person: Person;
  readonly keys: string[] = [];
  readonly created: string[] = [];
  readonly revoked: string[] = [];
  #stopped = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(person: Person) {
    this.#person = person;
  }

  start(): void {
    this.#running = Promise.all(Array.from({ length: clients }, () => this.#work()));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** Resolves when `count` more keys have been created. */
  async createMore(count: number): Promise<void> {
    const enough = this.created.length + count;
    while (this.created.length < enough) await pause(1);
  }

  async #work(): Promise<void> {
    for (let i = 0; !this.#stopped; i++) {
      const { apiKey, key } = await this.#person.createKey({ name: 'load' });
      this.keys.push(apiKey);
      this.created.push(key.id);
      if (i % 2 === 1) continue;
      await this.#person.revoke(key.id);
      this.revoked.push(key.id);
    }
  }
}

/** Queries for rows that must not exist. */
const impossible = {
  'a secret without its key': 'SELECT 1 FROM api_key_secret WHERE key_id NOT IN (SELECT id FROM api_key)',
  'a key without its secret': 'SELECT 1 FROM api_key WHERE id NOT IN (SELECT key_id FROM api_key_secret)',
  'a revoked key whose hash is not recorded as revoked': `SELECT 1 FROM api_key_secret s JOIN api_key k ON k.id = s.key_id
     WHERE k.revoked_at IS NOT NULL AND s.hash NOT IN (SELECT hash FROM dead_hash)`,
  'an active key whose hash is recorded as revoked': `SELECT 1 FROM api_key_secret s JOIN api_key k ON k.id = s.key_id
     WHERE k.revoked_at IS NULL AND s.hash IN (SELECT hash FROM dead_hash)`,
};

for (const kind of kinds) {
  test(`${kind}: a backup while keys are created and revoked is a consistent snapshot`, async (t) => {
    const fixture = await BackupFixture.ready(t, kind);
    await seed(fixture, 5000);
    const server = await fixture.start();
    const work = new Work(await openSession(server));
    work.start();
    await work.createMore(50);
    const [created, revoked] = [work.created.slice(), work.revoked.slice()];
    const file = fixture.inBackupDir('backup');
    const { code, output } = await fixture.operateAsProcess(['backup', file]);
    const during = work.created.length - created.length;
    await work.stop();
    assert.equal(code, 0, output);
    assert.ok(during > clients, `${during} keys were created during the backup`);
    t.diagnostic(`${during} keys were created during the backup`);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const database = new DatabaseSync(file, { readOnly: true });
    t.after(() => database.close());
    for (const [what, statement] of Object.entries(impossible)) {
      assert.equal(database.prepare(statement).get(), undefined, what);
    }
    const has = (id: string, more: string) =>
      database.prepare(`SELECT 1 FROM api_key WHERE id = ? ${more}`).get(id) !== undefined;
    for (const id of created) assert.ok(has(id, ''), 'created before the backup');
    for (const id of revoked) assert.ok(has(id, 'AND revoked_at IS NOT NULL'), 'revoked before the backup');
    const content = readFileSync(file, 'latin1');
    assert.ok(!work.keys.some((key) => content.includes(key.slice(8))));
  });
}

test('a backup that is killed creates no file under its name and does not disturb the server', async (t) => {
  const fixture = await BackupFixture.ready(t, 'sqlite');
  await seed(fixture, 20_000);
  const server = await fixture.start(fixture.dataDir, { SOKU_MAX_ACTIVE_KEYS: '100000' });
  const file = fixture.inBackupDir('backup');
  const child = fixture.spawnOperator(['backup', file]);
  const ended = once(child, 'exit');
  while (globSync('backup.*.partial', { cwd: fixture.backupDir }).length === 0) {
    assert.equal(child.exitCode, null);
    await pause(1);
  }
  child.kill('SIGKILL');
  assert.deepEqual(await ended, [null, 'SIGKILL']);
  assert.ok(!existsSync(file));
  await (await openSession(server)).createKey({ name: 'works' });
  const again = await fixture.operate(['backup', file]);
  assert.match(again.output, /Backed up 20,001 keys/);
  const rejected = await fixture.operate(['backup', file]);
  assert.equal(rejected.code, 73);
  assert.match(rejected.output, /^soku: .* already exists/);
});
