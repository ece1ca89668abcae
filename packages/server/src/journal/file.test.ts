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
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  assert.deepEqual(Array.from(await again.all()), [first, ...rest]);
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
  appendFileSync(path, 'unfinished');
  const file = new DeadHashFile(path);
  assert.deepEqual(await file.look(), { lines: 1500, tail: all.slice(500), cut: true });
  assert.equal(statSync(path).size, 1500 * lineLength);
  assert.deepEqual(Array.from(await file.all()), all);
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
