import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { eventually } from '../../../../test/support/contract.ts';
import { openTemporarySqlite } from '../../../../test/support/temporary-sqlite.ts';
import { openDataDirectory } from './data-directory.ts';
import { DirectoryLockMonitor } from './directory-lock-monitor.ts';
import { openSqlite } from './sqlite.ts';
import { StorageUnavailable } from './unavailable.ts';

/** A lock monitor of two files, with a clock that the test sets. */
function setUp(t: TestContext, options: Partial<ConstructorParameters<typeof DirectoryLockMonitor>[0]> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'soku-test-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const [lock, database] = [join(directory, 'lock'), join(directory, 'soku.db')];
  for (const file of [lock, database]) writeFileSync(file, '');
  const clock = { now: 5000, isLocked: true };
  const lockMonitor = new DirectoryLockMonitor({
    now: () => clock.now,
    isLocked: () => clock.isLocked,
    ...options,
  });
  lockMonitor.add(lock, database);
  t.after(() => lockMonitor.stop());
  return { directory, lock, database, clock, lockMonitor };
}

const nextTick = <T>(value: T) => new Promise<T>((resolve) => process.nextTick(resolve, value));

const problem = (name: string) => (error: unknown) =>
  error instanceof StorageUnavailable && error.problem === name;

test('a check of the files is evidence for one second and no longer', (t) => {
  const { lockMonitor, clock } = setUp(t);
  assert.equal(lockMonitor.holds(), false, 'no check has run yet');
  lockMonitor.checkNow();
  clock.now += 999;
  assert.equal(lockMonitor.holds(), true);
  clock.now += 1;
  assert.equal(lockMonitor.holds(), false, 'a process that was stopped meanwhile checks again');
  lockMonitor.checkNow();
  assert.equal(lockMonitor.holds(), true);
});

for (const isLocked of [false, true]) {
  test(`a check that ends after the monitor has stopped reports nothing, with a lock ${isLocked}`, async (t) => {
    const begun = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const lookUps: Promise<unknown>[] = [];
    const lookUp = (path: string) => {
      const found = released.promise.then(() => stat(path, { bigint: true }));
      lookUps.push(found);
      begun.resolve();
      return found;
    };
    const { lockMonitor, clock } = setUp(t, { lookUp });
    const reports: string[] = [];
    lockMonitor.start({ lost: () => reports.push('lost'), regained: () => reports.push('regained') });
    // Keeps the process alive, which the timer of the monitor does not.
    const alive = setInterval(() => undefined, 1000);
    await begun.promise;
    lockMonitor.stop();
    clock.isLocked = isLocked;
    released.resolve();
    await Promise.all(lookUps);
    await turn();
    clearInterval(alive);
    assert.deepEqual([reports, lockMonitor.holds()], [[], false]);
  });
}

test('a gap in the evidence is reported before there is evidence again', (t) => {
  const { lock, lockMonitor, clock } = setUp(t);
  const gaps: boolean[] = [];
  lockMonitor.checkNow();
  lockMonitor.onGap(() => gaps.push(lockMonitor.holds()));
  clock.now += 999;
  lockMonitor.checkNow();
  assert.deepEqual(gaps, []);
  clock.now += 1000;
  lockMonitor.checkNow();
  assert.deepEqual(gaps, [false], 'it was stopped');
  renameSync(lock, `${lock}.away`);
  assert.throws(() => lockMonitor.checkNow(), problem('lost'));
  renameSync(`${lock}.away`, lock);
  lockMonitor.checkNow();
  assert.deepEqual(gaps, [false, false], 'its lock was missing');
});

test('a removed, replaced or moved file ends the evidence at the next check, and its return renews it', (t) => {
  const { directory, lock, database, lockMonitor, clock } = setUp(t);
  const away = `${directory}.away`;
  const assertLost = () => {
    assert.throws(() => lockMonitor.checkNow(), problem('lost'));
    assert.equal(lockMonitor.holds(), false);
  };
  for (const file of [lock, database]) {
    lockMonitor.checkNow();
    renameSync(file, away);
    assertLost();
    copyFileSync(away, file);
    assertLost();
    renameSync(away, file);
    lockMonitor.checkNow();
    assert.equal(lockMonitor.holds(), true);
  }
  renameSync(directory, away);
  assertLost();
  renameSync(away, directory);
  lockMonitor.checkNow();
  clock.isLocked = false;
  assertLost();
});

test('the background check reports a removed file once, and its return', async (t) => {
  const { lock, lockMonitor } = setUp(t);
  const reports: string[] = [];
  lockMonitor.start({
    lost: ({ message }) => reports.push(message),
    regained: () => reports.push('regained'),
  });
  await eventually(async () => lockMonitor.holds(), Boolean);
  renameSync(lock, `${lock}.away`);
  await eventually(async () => reports.length, Boolean);
  assert.throws(() => lockMonitor.checkNow(), problem('lost'));
  renameSync(`${lock}.away`, lock);
  await eventually(
    async () => reports.length,
    (count) => count === 2,
  );
  assert.match(reports.join(), /^The data directory .*: the file lock was removed,regained$/);
});

test('a disk that does not respond ends the evidence without blocking the process, until it responds', async (t) => {
  const disk = Promise.withResolvers<void>();
  const lookUp = async (path: string) => {
    await disk.promise;
    return stat(path, { bigint: true });
  };
  const { lockMonitor } = setUp(t, { lookUp });
  lockMonitor.checkNow();
  lockMonitor.start({ lost: () => undefined, regained: () => undefined });
  await eventually(
    async () => lockMonitor.holds(),
    (holds) => !holds,
  );
  assert.throws(() => lockMonitor.checkNow(), problem('silent'));
  disk.resolve();
  await eventually(async () => lockMonitor.holds(), Boolean);
  lockMonitor.checkNow();
});

test('a process that creates the lock of an existing database waits for possible other users, even after a crash', async (t) => {
  const { directory, database } = await openTemporarySqlite();
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
  const { directory, database } = await openTemporarySqlite();
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
