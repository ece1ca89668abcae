/** A data directory on a file system that does not keep out a second server: refused, with what to do. */
import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { newDataDir, spawnServer } from '../support/server.ts';
import { expectStartFailure } from '../support/start-failure.ts';
import { mountUnsafeFileSystem, withFileSystemType } from '../support/unsafe-file-system.ts';

process.env.SOKU_TEST_DATABASE = 'sqlite';

/** Types of statfs(2) by name. */
const types = { NFS: 0x6969, SMB: 0xff534d42 };
const fuse = 0x65735546;

function temporary(t: TestContext): string {
  const root = newDataDir();
  t.after(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

async function mounted(
  t: TestContext,
  ...wanted: Parameters<typeof mountUnsafeFileSystem>
): Promise<string | null> {
  const found = await mountUnsafeFileSystem(...wanted);
  if (found === undefined) {
    t.skip('this process may not mount a file system');
    return null;
  }
  t.after(() => found.unmount());
  return join(found.directory, 'data');
}

for (const [name, type] of Object.entries(types)) {
  test(`${name}: a database is refused, and nothing is written`, async (t) => {
    const under = withFileSystemType(type);
    if (under === undefined) return t.skip('strace cannot change the result of statfs');
    const dataDir = temporary(t);
    const line = await expectStartFailure(73, { dataDir, under });
    assert.match(line, new RegExp(`network file system \\(${name}\\).*on a local disk, or.*DATABASE_URL`));
    assert.deepEqual(readdirSync(dataDir), []);
  });
}

test('a file system without locks is not reported as a second process', async (t) => {
  const dataDir = await mounted(t, 'refused');
  if (dataDir === null) return;
  const line = await expectStartFailure(73, { dataDir });
  assert.match(line, /has no working locks: it refuses every lock.*on a local disk/);
  assert.deepEqual(readdirSync(dataDir), ['lock']);
});

test('a file system that grants a lock twice is refused', async (t) => {
  const dataDir = await mounted(t, 'granted');
  if (dataDir === null) return;
  const line = await expectStartFailure(73, { dataDir });
  assert.match(line, /has no working locks: a second process could take the same lock.*on a local disk/);
});

test('a file system without shared memory is named as the cause', async (t) => {
  const dataDir = await mounted(t, 'kernel', ['-o', 'direct_io']);
  if (dataDir === null) return;
  assert.match(await expectStartFailure(73, { dataDir }), /no shared memory \(mmap\).*on a local disk/);
});

test('FUSE with working locks is used, with a warning', async (t) => {
  const dataDir = await mounted(t, 'kernel');
  if (dataDir === null) return;
  const server = await spawnServer({ dataDir });
  try {
    await server.printed('Listening on');
    assert.match(server.output, /is on FUSE, whose locks may not reach other machines/);
    assert.match(await expectStartFailure(73, { dataDir }), /in use by another Soku process/);
  } finally {
    await server.stop();
  }
});

test('a lock that could not be tested from another process is used, with a warning', async (t) => {
  // Node connects a process that it starts with socketpair(2).
  const under = withFileSystemType(fuse, 'socketpair');
  if (under === undefined) return t.skip('strace cannot change the result of statfs');
  const server = await spawnServer({ dataDir: temporary(t), under });
  try {
    await server.printed('Listening on');
    assert.match(server.output, /is on FUSE, and no other process could try to take its lock \(.*EMFILE\)/);
  } finally {
    await server.stop();
  }
});
