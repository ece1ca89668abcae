import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { eventually } from '../../../../test/support/contract.ts';
import { openTemporary } from '../../../../test/support/temporary-sqlite.ts';
import { openDataDirectory } from './data-directory.ts';
import { DirectoryHold } from './directory-hold.ts';
import { openSqlite } from './sqlite.ts';
import { StorageUnavailable } from './unavailable.ts';

/** A hold on two files, with a clock that the test sets. */
function scene(t: TestContext, options: Partial<ConstructorParameters<typeof DirectoryHold>[0]> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'soku-test-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const [lock, database] = [join(directory, 'lock'), join(directory, 'soku.db')];
  for (const file of [lock, database]) writeFileSync(file, '');
  const clock = { now: 5000, isLocked: true };
  const hold = new DirectoryHold({ now: () => clock.now, isLocked: () => clock.isLocked, ...options });
  hold.add(lock, database);
  t.after(() => hold.stop());
  return { directory, lock, database, clock, hold };
}

const nextTick = <T>(value: T) => new Promise<T>((resolve) => process.nextTick(resolve, value));

const problem = (name: string) => (error: unknown) =>
  error instanceof StorageUnavailable && error.problem === name;

test('a check of the files is evidence for one second and no longer', (t) => {
  const { hold, clock } = scene(t);
  assert.equal(hold.holds(), false, 'no check has run yet');
  hold.checkNow();
  clock.now += 999;
  assert.equal(hold.holds(), true);
  clock.now += 1;
  assert.equal(hold.holds(), false, 'a process that was stopped meanwhile checks again');
  hold.checkNow();
  assert.equal(hold.holds(), true);
});

for (const isLocked of [false, true]) {
  test(`a check that ends after the hold has stopped reports nothing, with a lock ${isLocked}`, async (t) => {
    const begun = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const lookUps: Promise<unknown>[] = [];
    const lookUp = (path: string) => {
      const found = released.promise.then(() => stat(path, { bigint: true }));
      lookUps.push(found);
      begun.resolve();
      return found;
    };
    const { hold, clock } = scene(t, { lookUp });
    const reports: string[] = [];
    hold.start({ lost: () => reports.push('lost'), regained: () => reports.push('regained') });
    // Keeps the process alive, which the timer of the hold does not.
    const alive = setInterval(() => undefined, 1000);
    await begun.promise;
    hold.stop();
    clock.isLocked = isLocked;
    released.resolve();
    await Promise.all(lookUps);
    await turn();
    clearInterval(alive);
    assert.deepEqual([reports, hold.holds()], [[], false]);
  });
}

test('a gap in the evidence is reported before there is evidence again', (t) => {
  const { lock, hold, clock } = scene(t);
  const gaps: boolean[] = [];
  hold.checkNow();
  hold.onGap(() => gaps.push(hold.holds()));
  clock.now += 999;
  hold.checkNow();
  assert.deepEqual(gaps, []);
  clock.now += 1000;
  hold.checkNow();
  assert.deepEqual(gaps, [false], 'it was stopped');
  renameSync(lock, `${lock}.away`);
  assert.throws(() => hold.checkNow(), problem('lost'));
  renameSync(`${lock}.away`, lock);
  hold.checkNow();
  assert.deepEqual(gaps, [false, false], 'its lock was missing');
});

test('a removed, replaced or moved file ends the hold at the next check, and its return renews the hold', (t) => {
  const { directory, lock, database, hold, clock } = scene(t);
  const away = `${directory}.away`;
  const assertLost = () => {
    assert.throws(() => hold.checkNow(), problem('lost'));
    assert.equal(hold.holds(), false);
  };
  for (const file of [lock, database]) {
    hold.checkNow();
    renameSync(file, away);
    assertLost();
    copyFileSync(away, file);
    assertLost();
    renameSync(away, file);
    hold.checkNow();
    assert.equal(hold.holds(), true);
  }
  renameSync(directory, away);
  assertLost();
  renameSync(away, directory);
  hold.checkNow();
  clock.isLocked = false;
  assertLost();
});

test('the background check reports a removed file once, and its return', async (t) => {
  const { lock, hold } = scene(t);
  const reports: string[] = [];
  hold.start({ lost: ({ message }) => reports.push(message), regained: () => reports.push('regained') });
  await eventually(async () => hold.holds(), Boolean);
  renameSync(lock, `${lock}.away`);
  await eventually(async () => reports.length, Boolean);
  assert.throws(() => hold.checkNow(), problem('lost'));
  renameSync(`${lock}.away`, lock);
  await eventually(
    async () => reports.length,
    (count) => count === 2,
  );
  assert.match(reports.join(), /^The data directory .*: the file lock was removed,regained$/);
});

test('a disk that does not respond ends the hold without blocking the process, until it responds', async (t) => {
  const disk = Promise.withResolvers<void>();
  const lookUp = async (path: string) => {
    await disk.promise;
    return stat(path, { bigint: true });
  };
  const { hold } = scene(t, { lookUp });
  hold.checkNow();
  hold.start({ lost: () => undefined, regained: () => undefined });
  await eventually(
    async () => hold.holds(),
    (holds) => !holds,
  );
  assert.throws(() => hold.checkNow(), problem('silent'));
  disk.resolve();
  await eventually(async () => hold.holds(), Boolean);
  hold.checkNow();
});

test('a process that creates the lock of an existing database waits for possible other users, even after a crash', async (t) => {
  const { directory, database } = await openTemporary();
  t.after(() => rmSync(directory.path, { recursive: true, force: true }));
  await database.close();
  directory.release();
  const waits = async (): Promise<boolean> => {
    const opened = openDataDirectory(directory.path);
    try {
      const begun = performance.now();
      const settled = opened.settled();
      // Without a wait, it resolves before any timer or callback can run, however busy the machine is.
      const hasWaited = await Promise.race([settled.then(() => false), nextTick(true)]);
      await settled;
      const waited = performance.now() - begun;
      assert.ok(!hasWaited || waited >= 1490, `${waited} ms`);
      await (await openSqlite(opened)).close();
      return hasWaited;
    } finally {
      opened.release();
    }
  };
  assert.equal(await waits(), false, 'the lock has covered this database from the start');
  rmSync(join(directory.path, 'lock'));
  const crashed = openDataDirectory(directory.path);
  crashed.release();
  assert.equal(await waits(), true, 'the previous wait did not complete');
  assert.equal(await waits(), false);
  copyFileSync(directory.databaseFile, join(directory.path, 'other'));
  renameSync(join(directory.path, 'other'), directory.databaseFile);
  assert.equal(await waits(), true, 'another lock may have covered this database');
});

test('a start fails when its lock is removed while it waits', async (t) => {
  const { directory, database } = await openTemporary();
  t.after(() => rmSync(directory.path, { recursive: true, force: true }));
  await database.close();
  directory.release();
  rmSync(join(directory.path, 'lock'));
  const opened = openDataDirectory(directory.path);
  t.after(() => opened.release());
  const settled = opened.settled();
  rmSync(join(directory.path, 'lock'));
  await assert.rejects(settled, /was removed during the start/);
});
