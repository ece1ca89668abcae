import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { StartupError } from '../startup-error.ts';
import { DeadHashFile } from './file.ts';
import { lineLength, readLine, writeLine } from './line.ts';

function hashes(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) =>
    createHash('sha256')
      .update(String(from + i))
      .digest('hex'),
  );
}

function temporary(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'soku-test-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return join(directory, 'dead-hashes');
}

test('a line is read as it was written, and not with any digit changed', () => {
  const [hash = ''] = hashes(0, 1);
  const line = writeLine(hash);
  assert.equal(line.length, lineLength);
  assert.equal(readLine(line), hash);
  for (let i = 0; i < line.length; i++) {
    const changed = line.slice(0, i) + (line[i] === '0' ? '1' : '0') + line.slice(i + 1);
    assert.equal(readLine(changed), undefined, `digit ${i}`);
  }
});

test('what is added is there in its order, once, readable by its owner only', async (t) => {
  const path = temporary(t);
  const file = new DeadHashFile(path);
  const [first = '', ...rest] = hashes(0, 20);
  await file.add([first]);
  await Promise.all(rest.map((hash) => file.add([hash, first])));
  assert.deepEqual(await file.look(), { lines: 20, tail: [first, ...rest], cut: false });
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const again = new DeadHashFile(path);
  await again.look();
  await again.add(rest);
  assert.deepEqual(Array.from((await again.all()).hashes), [first, ...rest]);
  assert.equal(statSync(path).size, 20 * lineLength);
});

test('however many were added, each has one line', async (t) => {
  const path = temporary(t);
  const file = new DeadHashFile(path);
  const many = hashes(0, 12_000);
  await file.add(many);
  await file.add(hashes(12_000, 1));
  assert.equal(statSync(path).size, 12_001 * lineLength);
});

test('what could not be written is an error, and is written before what comes later', async (t) => {
  const path = temporary(t);
  const file = new DeadHashFile(path);
  const [one = '', two = '', three = ''] = hashes(0, 3);
  mkdirSync(path);
  await assert.rejects(file.add([one]), { code: 'EISDIR' });
  await assert.rejects(file.add([two]), { code: 'EISDIR' });
  rmdirSync(path);
  await file.add([three]);
  assert.equal(readFileSync(path, 'latin1'), [one, two, three].map(writeLine).join(''));
});

test('a line that was left half written does not spoil the next one', async (t) => {
  const path = temporary(t);
  const [one = '', two = '', three = ''] = hashes(0, 3);
  writeFileSync(path, writeLine(one) + writeLine(two).slice(0, 30));
  const file = new DeadHashFile(path);
  await file.add([three]);
  assert.equal(readFileSync(path, 'latin1'), [one, three].map(writeLine).join(''));
});

test('the look sees all lines and the last thousand; reading all finds damage anywhere', async (t) => {
  const path = temporary(t);
  const all = hashes(0, 1500);
  writeFileSync(path, all.map(writeLine).join(''));
  appendFileSync(path, 'bad0beef');
  const file = new DeadHashFile(path);
  assert.deepEqual(await file.look(), { lines: 1500, tail: all.slice(500), cut: true });
  assert.equal(statSync(path).size, 1500 * lineLength);
  assert.deepEqual(Array.from((await file.all()).hashes), all);
  const content = readFileSync(path);
  content.write('x', 3 * lineLength);
  writeFileSync(path, content);
  assert.equal((await file.look()).lines, 1500);
  await assert.rejects(
    file.all(),
    (error) => error instanceof StartupError && / damaged in line 4\. /.test(error.message),
  );
});

test('second lines of a hash are taken out, and nothing else', async (t) => {
  const path = temporary(t);
  const [one = '', two = '', three = ''] = hashes(0, 3);
  writeFileSync(path, [one, two, one, three, two].map(writeLine).join(''));
  const file = new DeadHashFile(path);
  await file.compact();
  assert.equal(readFileSync(path, 'latin1'), [one, two, three].map(writeLine).join(''));
});

test('only what an unfinished write can leave is cut off; any other end is damage, and stays', async (t) => {
  const path = temporary(t);
  const [one = '', two = '', three = ''] = hashes(0, 3).map(writeLine);
  const look = async (content: string) => {
    writeFileSync(path, content, 'latin1');
    const seen = await new DeadHashFile(path).look().catch((error: unknown) => error);
    return { seen, left: readFileSync(path, 'latin1') };
  };
  const nul = (bytes: number) => '\0'.repeat(bytes);
  for (const end of [
    ...[three.slice(0, 1), three.slice(0, 64), three.slice(0, 65), three.slice(0, 72)],
    ...[nul(1), nul(lineLength), nul(3 * lineLength + 5), three.slice(0, 30) + nul(100)],
  ]) {
    const { seen, left } = await look(one + two + end);
    assert.equal(left, one + two, JSON.stringify(end));
    assert.partialDeepStrictEqual(seen, { lines: 2, cut: true });
  }
  // All of it but the end of the line is there.
  for (const end of [three.slice(0, -1), three.slice(0, -1) + nul(1), three.slice(0, -1) + nul(99)]) {
    const { seen, left } = await look(one + two + end);
    assert.equal(left, one + two + three);
    assert.partialDeepStrictEqual(seen, { lines: 3, cut: false });
  }
  const flipped = two.slice(0, 50) + (two[50] === '0' ? '1' : '0') + two.slice(51);
  for (const [content, line] of [
    [one + flipped, 2],
    [one + flipped.slice(0, -1), 2],
    [one + flipped.slice(0, 70), 2],
    [`${one}unfinished`, 2],
    [`${one}\n`, 2],
    [one + nul(1) + two, 2],
    [(one + two).replaceAll('\n', '\r\n'), 1],
    [one.replace('\n', '\r\n'), 1],
    [(one + two).slice(1), 1],
    [one.slice(1), 1],
    [`\n${one}${two}`, 1],
    [`\u00ef\u00bb\u00bf${one}`, 1],
  ] as const) {
    const { seen, left } = await look(content);
    assert.ok(seen instanceof StartupError, JSON.stringify(content));
    assert.equal(seen.exitCode, 65);
    assert.match(seen.message, new RegExp(` damaged in line ${line}\\. `));
    assert.equal(left, content);
  }
});

test('nothing is written after an end that is damaged', async (t) => {
  const path = temporary(t);
  const [one = '', two = ''] = hashes(0, 2);
  writeFileSync(path, `${writeLine(one)}${two}?`);
  await assert.rejects(new DeadHashFile(path).add([two]), / damaged in line 2\. /);
  assert.equal(readFileSync(path, 'latin1'), `${writeLine(one)}${two}?`);
});

/** A disk that notes what is written and waited for, and can refuse to sync the directory. */
function watchedDisk(path: string) {
  const done: string[] = [];
  const disk = { refusesDirectory: false };
  const watched: typeof open = async (name, ...rest) => {
    const handle = await open(name, ...rest);
    for (const method of ['appendFile', 'datasync', 'sync'] as const) {
      const real = handle[method].bind(handle) as (...given: unknown[]) => Promise<void>;
      handle[method] = async (...given: unknown[]) => {
        await real(...given);
        done.push(`${method} file`);
      };
    }
    return handle;
  };
  const file = new DeadHashFile(path, {
    open: watched,
    syncDirectory: (directory) => {
      assert.equal(directory, dirname(path));
      if (disk.refusesDirectory) throw new Error('EIO');
      done.push('sync directory');
    },
  });
  return { file, done, disk };
}

test('a hash is told as kept when the disk has it, and the name of the file', async (t) => {
  const { file, done } = watchedDisk(temporary(t));
  const [one = '', two = ''] = hashes(0, 2);
  await file.add([one]).then(() => done.push('told'));
  assert.deepEqual(done.splice(0), ['appendFile file', 'datasync file', 'sync directory', 'told']);
  await file.add([two]).then(() => done.push('told'));
  assert.deepEqual(done.splice(0), ['appendFile file', 'datasync file', 'told']);
});

test('the name of the file is synced until that succeeds', async (t) => {
  const { file, done, disk } = watchedDisk(temporary(t));
  const [one = '', two = ''] = hashes(0, 2);
  disk.refusesDirectory = true;
  await assert.rejects(file.add([one]), /EIO/);
  disk.refusesDirectory = false;
  await file.add([two]);
  assert.equal(done.at(-1), 'sync directory');
});

test('lines of a process that was killed are on the disk before they count as written', async (t) => {
  const path = temporary(t);
  const [one = ''] = hashes(0, 1);
  writeFileSync(path, writeLine(one));
  const { file, done } = watchedDisk(path);
  await file.look();
  assert.deepEqual(done, ['datasync file', 'sync directory']);
});
