import assert from 'node:assert/strict';
import {
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import {
  encodeJournal,
  hashes,
  readAll,
  startupErrorOf,
  temporaryJournal,
} from '../../../../test/support/journal-files.ts';
import { RevokedHashFile } from './file.ts';
import { recordLength } from './record.ts';

test('the format: a header, then 32 bytes of hash and a CRC-32 for each record', async (t) => {
  const { path, file } = temporaryJournal(t);
  const [one = '', two = ''] = hashes(0, 2);
  await file.append([one, two]);
  const content = readFileSync(path);
  assert.equal(content.length, 36 * 3);
  assert.equal(content.toString('latin1', 0, 16), 'soku revocation\x01');
  for (const [i, hash] of [one, two].entries()) {
    const record = content.subarray(36 * (i + 1), 36 * (i + 2));
    assert.equal(record.toString('hex', 0, 32), hash);
    assert.equal(record.readUInt32BE(32), crc32(Buffer.from(hash, 'hex')));
  }
});

test('the file has each hash once, in order, and is readable by its owner only', async (t) => {
  const { directory, path, file } = temporaryJournal(t);
  const [first = '', ...rest] = hashes(0, 20);
  await file.append([first]);
  await Promise.all(rest.map((hash) => file.append([hash, first])));
  assert.deepEqual(await file.inspect(), { count: 20, tail: [first, ...rest], truncated: false });
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const again = new RevokedHashFile(directory);
  await again.inspect();
  await again.append(rest);
  assert.deepEqual(await readAll(again), [first, ...rest]);
  assert.equal(statSync(path).size, 21 * recordLength);
});

test('a write larger than the number of cached hashes creates one record per hash', async (t) => {
  const { path, file } = temporaryJournal(t);
  await file.append(hashes(0, 12_000));
  await file.append(hashes(12_000, 1));
  assert.equal(statSync(path).size, 12_002 * recordLength);
});

test('a failed write is an error, and its hashes are written before later ones', async (t) => {
  const { path, file } = temporaryJournal(t);
  const [one = '', two = '', three = ''] = hashes(0, 3);
  mkdirSync(path);
  await assert.rejects(file.append([one]), { code: 'EISDIR' });
  await assert.rejects(file.append([two]), { code: 'EISDIR' });
  rmdirSync(path);
  await file.append([three]);
  assert.deepEqual(readFileSync(path), encodeJournal([one, two, three]));
});

for (const [what, change] of [
  ['moved away', (path) => renameSync(path, `${path}.away`)],
  ['deleted', (path) => rmSync(path)],
  ['replaced', (path) => replace(path, encodeJournal(hashes(5, 3)))],
  ['replaced by one of the same size', (path) => replace(path, encodeJournal(hashes(5, 2)))],
  ['truncated', (path) => truncateSync(path, 2 * recordLength)],
] satisfies [string, (path: string) => void][]) {
  test(`a hash that was already written gets a new record after the file was ${what}`, async (t) => {
    const { directory, path } = temporaryJournal(t);
    let replaced = 0;
    const file = new RevokedHashFile(directory, () => replaced++);
    await file.inspect();
    const [one = '', two = ''] = hashes(0, 2);
    await file.append([one]);
    await file.append([two]);
    await file.append([two]);
    assert.equal(replaced, 0);
    change(path);
    await file.append([two]);
    assert.equal(replaced, 1);
    assert.equal((await readAll(file)).at(-1), two);
    await file.append([two]);
    assert.equal(replaced, 1);
  });
}

function replace(path: string, content: Buffer): void {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}

test('an incomplete record at the end does not damage the next one', async (t) => {
  const { path, file } = temporaryJournal(t);
  const [one = '', two = '', three = ''] = hashes(0, 3);
  writeFileSync(path, encodeJournal([one, two]).subarray(0, -1));
  await file.append([three]);
  assert.deepEqual(readFileSync(path), encodeJournal([one, three]));
});

test('an inspection counts all records and decodes the last thousand; readAll finds damage anywhere', async (t) => {
  const { path, file } = temporaryJournal(t);
  const all = hashes(0, 1500);
  writeFileSync(path, Buffer.concat([encodeJournal(all), Buffer.from('part')]));
  assert.deepEqual(await file.inspect(), { count: 1500, tail: all.slice(500), truncated: true });
  assert.deepEqual(readFileSync(path), encodeJournal(all));
  assert.deepEqual(await readAll(file), all);
  const content = readFileSync(path);
  content.writeUInt8(content.readUInt8(4 * recordLength) ^ 1, 4 * recordLength);
  writeFileSync(path, content);
  assert.equal((await file.inspect()).count, 1500);
  assert.match(await startupErrorOf(file.readAll()), /^65 .* damaged in record 4\. /);
});

/** A disk that records writes and syncs, and can fail to sync the directory. */
function watchedDisk(directory: string) {
  const done: string[] = [];
  const state = { refusesDirectory: false };
  const watched: typeof open = async (name, ...rest) => {
    const handle = await open(name, ...rest);
    for (const method of ['appendFile', 'datasync'] as const) {
      const real = handle[method].bind(handle) as (...given: unknown[]) => Promise<void>;
      handle[method] = async (...given: unknown[]) => {
        await real(...given);
        done.push(method);
      };
    }
    return handle;
  };
  const file = new RevokedHashFile(directory, undefined, {
    open: watched,
    syncFile: (path) => {
      assert.equal(path, join(directory, 'revoked-hashes'));
      done.push('sync file');
    },
    syncDirectory: (path) => {
      assert.equal(path, directory);
      if (state.refusesDirectory) throw new Error('EIO');
      done.push('sync directory');
    },
  });
  return { file, done, state };
}

test('an append returns once the record and the name of the file are on disk', async (t) => {
  const { file, done } = watchedDisk(temporaryJournal(t).directory);
  const [one = '', two = ''] = hashes(0, 2);
  await file.append([one]).then(() => done.push('returned'));
  assert.deepEqual(done.splice(0), ['appendFile', 'datasync', 'sync directory', 'returned']);
  await file.append([two]).then(() => done.push('returned'));
  assert.deepEqual(done.splice(0), ['appendFile', 'datasync', 'returned']);
});

test('concurrent appends share one write and one sync', async (t) => {
  const { file, done } = watchedDisk(temporaryJournal(t).directory);
  await file.append(hashes(0, 1));
  done.splice(0);
  await Promise.all(hashes(1, 50).map((hash) => file.append([hash])));
  assert.deepEqual(done, ['appendFile', 'datasync']);
  assert.deepEqual(await readAll(file), hashes(0, 51));
});

test('the name of the file is synced until that succeeds', async (t) => {
  const { file, done, state } = watchedDisk(temporaryJournal(t).directory);
  const [one = '', two = ''] = hashes(0, 2);
  state.refusesDirectory = true;
  await assert.rejects(file.append([one]), /EIO/);
  state.refusesDirectory = false;
  await file.append([two]);
  assert.equal(done.at(-1), 'sync directory');
  assert.deepEqual(await readAll(file), [one, two]);
});

test('records of a process that was killed are synced to disk before they count as written', async (t) => {
  const { directory, path } = temporaryJournal(t);
  writeFileSync(path, encodeJournal(hashes(0, 1)));
  const { file, done } = watchedDisk(directory);
  await file.inspect();
  assert.deepEqual(done, ['sync file', 'sync directory']);
});
