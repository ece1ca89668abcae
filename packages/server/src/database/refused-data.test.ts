/** Unusable data is rejected and stays unchanged. test/startup/data-directory.test.ts tests some cases with a real start. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { directoryContents } from '../../../../test/support/start-failure.ts';
import { openAndClose } from '../../../../test/support/temporary-sqlite.ts';
import { StartupError } from '../startup-error.ts';

const isRoot = process.getuid?.() === 0;
const root = mkdtempSync(join(tmpdir(), 'soku-test-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** The data of a stopped server. */
const original = join(root, 'original');
await openAndClose(original);

let copies = 0;
/** A copy of it to damage. */
function copy(): { dataDir: string; file: string } {
  copies += 1;
  const dataDir = join(root, `copy ${copies}`);
  cpSync(original, dataDir, { recursive: true });
  return { dataDir, file: join(dataDir, 'soku.db') };
}

/** Fails unless opening the data fails with one line. */
async function assertRefused(code: number, dataDir: string, says: RegExp): Promise<void> {
  await assert.rejects(openAndClose(dataDir), (error) => {
    assert.ok(error instanceof StartupError, String(error));
    assert.equal(error.exitCode, code, error.message);
    assert.match(error.message, says);
    assert.match(error.message, /^.+$/, 'one line');
    return true;
  });
}

/** Damages a copy, and fails unless it is rejected and stays unchanged. */
async function assertDamaged(damage: (file: string) => void, says: RegExp): Promise<void> {
  const { dataDir, file } = copy();
  damage(file);
  const before = directoryContents(dataDir);
  await assertRefused(65, dataDir, says);
  assert.deepEqual(directoryContents(dataDir), before);
}

function overwrite(file: string, offset: number, bytes: Buffer): void {
  const content = readFileSync(file);
  bytes.copy(content, offset);
  writeFileSync(file, content);
}

function inDatabase(file: string, statement: string): void {
  const database = new DatabaseSync(file);
  database.exec(statement);
  database.close();
}

test('an undamaged copy is accepted', async () => {
  await openAndClose(copy().dataDir);
});

test('a database with a damaged header is rejected with 65', async () => {
  await assertDamaged((file) => writeFileSync(file, 'not a database at all'), /damaged/);
  await assertDamaged((file) => overwrite(file, 0, Buffer.alloc(100)), /damaged/);
  await assertDamaged((file) => overwrite(file, 16, Buffer.from([0xff, 0xff])), /damaged/);
  await assertDamaged((file) => overwrite(file, 100, Buffer.alloc(200, 0xa5)), /damaged/);
});

test('a truncated database is rejected with 65', async () => {
  const { size } = statSync(join(original, 'soku.db'));
  await assertDamaged((file) => truncateSync(file, size - 4096), /damaged/);
  await assertDamaged((file) => truncateSync(file, 4096), /damaged/);
  await assertDamaged((file) => truncateSync(file, 15), /damaged/);
  await assertDamaged((file) => truncateSync(file, 0), /damaged: it is empty/);
});

test('a database with a damaged page is rejected with 65', async () => {
  const pages = statSync(join(original, 'soku.db')).size / 4096;
  for (let page = 1; page < pages; page++) {
    await assertDamaged((file) => overwrite(file, page * 4096, Buffer.alloc(4096, 0xa5)), /damaged/);
  }
});

test('a database of a newer version is rejected with 65, naming the unknown migration', async () => {
  const insert = `INSERT INTO kysely_migration (name, timestamp) VALUES ('9999-time-travel', '2030-01-01')`;
  await assertDamaged((file) => inDatabase(file, insert), /newer version.*9999-time-travel/);
});

test('a database with a replaced trigger is rejected with 65, naming the trigger', async () => {
  const exchange =
    'DROP TRIGGER api_key_dead; CREATE TRIGGER api_key_dead BEFORE UPDATE ON api_key BEGIN SELECT 1; END';
  await assertDamaged(
    (file) => inDatabase(file, exchange),
    /has a changed schema: trigger api_key_dead was changed\./,
  );
});

test('a database of another program is rejected with 65', async () => {
  await assertDamaged((file) => {
    rmSync(file);
    inDatabase(file, 'CREATE TABLE invoices (id)');
  }, /another program/);
});

test('an incomplete secret is rejected with 65, because it would allow forged cookies', async () => {
  for (const content of ['', '\n', 'short']) {
    const { dataDir } = copy();
    writeFileSync(join(dataDir, 'secret'), content);
    const before = directoryContents(dataDir);
    await assertRefused(65, dataDir, /secret.*damaged/);
    assert.deepEqual(directoryContents(dataDir), before);
  }
});

test('a database with another name elsewhere is rejected with 73, because the lock does not cover that name', async () => {
  for (const link of [linkSync, symlinkSync]) {
    const { file } = copy();
    const elsewhere = copy();
    rmSync(elsewhere.file);
    link(file, elsewhere.file);
    await assertRefused(73, elsewhere.dataDir, /is a link, or has another name/);
  }
});

test('an unwritable data directory is rejected with 73', async () => {
  const file = join(root, 'a file');
  writeFileSync(file, 'content');
  for (const dataDir of [file, join(file, 'below'), '/dev/null/x', '/proc/x']) {
    await assertRefused(73, dataDir, /cannot be written.*SOKU_DATA_DIR=\/var\/lib\/soku/);
    await assertRefused(73, dataDir, new RegExp(` ${dataDir} `));
  }
  assert.equal(readFileSync(file, 'utf8'), 'content');
});

test('a directory that others can read and that contains other files is rejected with 73 and stays unchanged', async () => {
  const dataDir = join(root, 'home');
  mkdirSync(dataDir);
  chmodSync(dataDir, 0o755);
  writeFileSync(join(dataDir, 'letter'), '');
  await assertRefused(73, dataDir, /Other users can read .* chmod o-rwx/);
  assert.equal(statSync(dataDir).mode & 0o777, 0o755);
});

/** The files of a data directory. The journals exist after a revoke, one of them only in an earlier version. */
const names = [
  'soku.db',
  'soku.db-wal',
  'soku.db-shm',
  'secret',
  'lock',
  'lock.owner',
  'revoked-hashes',
  'dead-hashes',
];

test('a path that is not a file, or one that this user cannot read or does not own, is rejected with 73', () => {
  const damages: ((path: string, content: Buffer | string) => void)[] = [
    (path) => mkdirSync(path),
    (path, content) => {
      // Only root can give a file away.
      writeFileSync(path, content, { mode: isRoot ? 0o600 : 0o000 });
      if (isRoot) chownSync(path, 1234, 1234);
    },
  ];
  const damaged = names.flatMap((name) =>
    damages.map((damage) => {
      const path = join(copy().dataDir, name);
      const content = existsSync(path) ? readFileSync(path) : '';
      rmSync(path, { force: true });
      damage(path, content);
      return path;
    }),
  );
  const lines = refusalsWithoutPrivileges(damaged.map(dirname));
  assert.equal(lines.length, damaged.length);
  for (const [i, path] of damaged.entries()) {
    assert.ok(lines[i]?.startsWith(`73 ${path} cannot be used`), `${path}: ${lines[i]}`);
  }
});

/** Opens data directories in a process without any privileges beyond those of the owner of the files. */
function refusalsWithoutPrivileges(directories: string[]): string[] {
  const program = `
    import { openAndClose } from ${JSON.stringify(new URL('../../../../test/support/temporary-sqlite.ts', import.meta.url).href)};
    for (const directory of process.argv.slice(1)) {
      await openAndClose(directory).then(
        () => console.log('used'),
        ({ exitCode, message }) => console.log(exitCode, message),
      );
    }`;
  const command = [process.execPath, '--input-type=module', '-e', program, '--', ...directories];
  const [name = '', ...args] = isRoot
    ? ['setpriv', '--bounding-set=-all', '--inh-caps=-all', ...command]
    : command;
  const { stdout, stderr } = spawnSync(name, args, { encoding: 'utf8' });
  assert.equal(stderr, '');
  return stdout.trimEnd().split('\n');
}
