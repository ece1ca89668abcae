import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  encodeTextJournal,
  hashes,
  readAll,
  startupErrorOf,
  temporaryJournal,
} from '../../../../test/support/journal-files.ts';
import { RevokedHashFile } from './file.ts';

test('the journal of an earlier version is imported once, and again after that version has written to it', async (t) => {
  const { directory, path, textPath } = temporaryJournal(t);
  const [first = '', ...rest] = hashes(0, 1500);
  const text = encodeTextJournal([first, ...rest]);
  writeFileSync(textPath, text);
  const start = async () => {
    const file = new RevokedHashFile(directory);
    return { file, ...(await file.inspect()) };
  };
  const { file, count, tail } = await start();
  assert.deepEqual({ count, tail }, { count: 1500, tail: rest.slice(-1000) });
  assert.equal(statSync(path).mode & 0o777, 0o600);
  await file.append(hashes(1500, 1));
  const { ino } = statSync(path);
  assert.equal((await start()).count, 1501);
  assert.equal(statSync(path).ino, ino, 'it was not imported again');
  assert.equal(readFileSync(textPath, 'latin1'), text);
  // After a downgrade, the earlier version adds hash 1500 from the database, and revokes another one.
  writeFileSync(textPath, encodeTextJournal([first, ...rest, ...hashes(1500, 2)]));
  assert.deepEqual(await readAll((await start()).file), hashes(0, 1502));
  // A different journal of the same size, such as that of another server.
  writeFileSync(textPath, encodeTextJournal([...rest, ...hashes(1500, 3)]));
  utimesSync(textPath, 1, 1);
  assert.deepEqual(await readAll((await start()).file), hashes(0, 1503));
});

test('an incomplete last line in a journal of an earlier version is not imported, and the file is unchanged', async (t) => {
  const some = hashes(0, 3);
  const text = encodeTextJournal(some);
  const twoLines = text.slice(0, 2 * 74);
  for (const [content, expected] of [
    ['', []],
    [text, some],
    [text.slice(0, -1), some],
    [`${text.slice(0, -1)}\0\0`, some],
    [`${text}${'\0'.repeat(200)}`, some],
    ...[1, 64, 65, 72].map((length) => [text.slice(0, 2 * 74 + length), some.slice(0, 2)] as const),
  ] as const) {
    const { textPath, file } = temporaryJournal(t);
    writeFileSync(textPath, content);
    await file.inspect();
    assert.deepEqual(await readAll(file), expected, JSON.stringify(content.slice(2 * 74)));
    assert.equal(readFileSync(textPath, 'latin1'), content);
  }
  const [digit = ''] = text.slice(74);
  const flipped = `${text.slice(0, 74)}${digit === '0' ? '1' : '0'}${text.slice(75)}`;
  for (const [content, line] of [
    [flipped, 2],
    [flipped.slice(0, 140), 2],
    [`${twoLines}unfinished`, 3],
    [text.replaceAll('\n', '\r\n'), 1],
    [text.slice(1), 1],
  ] as const) {
    const { path, textPath, file } = temporaryJournal(t);
    writeFileSync(textPath, content);
    assert.match(
      await startupErrorOf(file.inspect()),
      new RegExp(`^65 .*dead-hashes is damaged in line ${line}\\. `),
    );
    assert.ok(!existsSync(path));
  }
});
