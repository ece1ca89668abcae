/** The journal distinguishes the remains of a crash at its end from damage. */
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  encodeJournal,
  encodeTextJournal,
  hashes,
  readAll,
  startupErrorOf,
  temporaryJournal,
} from '../../../../test/support/journal-files.ts';
import { syncDirectory, syncFile } from '../durable-files.ts';
import { StartupError } from '../startup-error.ts';
import { RevokedHashFile } from './file.ts';
import { encodeRecords, recordLength } from './record.ts';

test('removing, adding or changing bytes at the end neither loses nor invents earlier records', async (t) => {
  const { directory, path } = temporaryJournal(t);
  const inspect = async (content: Buffer) => {
    writeFileSync(path, content);
    const file = new RevokedHashFile(directory);
    const inspection = await file.inspect().catch((error: unknown) => error);
    if (inspection instanceof StartupError) {
      assert.equal(inspection.exitCode, 65);
      assert.deepEqual(readFileSync(path), content, 'a damaged file is unchanged');
      return undefined;
    }
    const left = await readAll(file);
    assert.partialDeepStrictEqual(inspection, { count: left.length, tail: left });
    await file.append(hashes(100, 1));
    assert.deepEqual(await readAll(file), [...left, ...hashes(100, 1)]);
    return left;
  };
  const count = fc.integer({ min: 1, max: 6 });
  const cutOff = fc.asyncProperty(count, fc.nat(), async (n, seed) => {
    const content = encodeJournal(hashes(0, n));
    const length = seed % (content.length + 1);
    const whole = Math.max(0, Math.floor(length / recordLength) - 1);
    assert.deepEqual(await inspect(content.subarray(0, length)), hashes(0, whole));
  });
  const part = fc.uint8Array({ maxLength: recordLength - 1 });
  const added = fc.asyncProperty(count, part, fc.nat(200), async (n, bytes, zeros) => {
    const content = Buffer.concat([encodeJournal(hashes(0, n)), bytes, Buffer.alloc(zeros)]);
    const left = await inspect(content);
    assert.deepEqual(left, hashes(0, n));
  });
  const changed = fc.asyncProperty(
    count,
    fc.nat(),
    fc.integer({ min: 1, max: 255 }),
    async (n, seed, bits) => {
      const content = encodeJournal(hashes(0, n));
      const place = seed % content.length;
      content.writeUInt8(content.readUInt8(place) ^ bits, place);
      const left = await inspect(content);
      if (left === undefined) return;
      // Only a last record whose checksum ends in zeros can look like an interrupted write.
      assert.ok(place >= n * recordLength);
      assert.deepEqual(left, hashes(0, n - 1));
    },
  );
  const runs = { numRuns: 100 };
  await fc.assert(cutOff, runs);
  await fc.assert(added, runs);
  await fc.assert(changed, runs);
});

test('only the remains of an interrupted write are removed; any other end is damage and is kept', async (t) => {
  const { directory, path } = temporaryJournal(t);
  const some = hashes(0, 3);
  const whole = encodeJournal(some);
  const zeros = (count: number) => Buffer.alloc(count);
  const inspect = (content: Buffer) => {
    writeFileSync(path, content);
    return new RevokedHashFile(directory).inspect();
  };
  for (const end of [
    whole.subarray(36, 37),
    whole.subarray(36, 68),
    zeros(1),
    zeros(36),
    zeros(5 * 36 + 3),
    zeros(360_000),
  ]) {
    assert.deepEqual(await inspect(Buffer.concat([whole, end])), { count: 3, tail: some, truncated: true });
    assert.deepEqual(readFileSync(path), whole);
  }
  // The checksum of this hash ends in a zero byte.
  const [endsInZero = ''] = hashes(0, 2000).filter((hash) => encodeRecords([hash]).at(-1) === 0);
  const followed = Buffer.concat([encodeJournal([endsInZero]), zeros(99)]);
  assert.deepEqual(await inspect(followed), { count: 1, tail: [endsInZero], truncated: true });
  const flipped = Buffer.from(whole);
  flipped.writeUInt8(flipped.readUInt8(whole.length - 1) ^ 255, whole.length - 1);
  const damages: [content: Buffer, place: string][] = [
    [flipped, 'record 3'],
    [Buffer.concat([whole.subarray(0, 36), zeros(36), whole.subarray(72)]), 'record 1'],
    [Buffer.concat([whole, zeros(400_000)]), 'record 4'],
    [whole.subarray(1), 'its header, or has a newer format'],
    [whole.subarray(36), 'its header, or has a newer format'],
    [Buffer.from(encodeTextJournal(some)), 'its header, or has a newer format'],
    [
      Buffer.from(whole.toString('latin1').replace('\x01', '\x02'), 'latin1'),
      'its header, or has a newer format',
    ],
    [Buffer.from(whole.toString('utf8')), 'its header, or has a newer format'],
  ];
  for (const [content, place] of damages) {
    assert.match(await startupErrorOf(inspect(content)), new RegExp(`^65 .* damaged in ${place}\\. `));
    assert.deepEqual(readFileSync(path), content);
  }
});

test('combined appends are written in parts that are small enough to be removed after an interruption', async (t) => {
  const { directory, path } = temporaryJournal(t);
  const sizes = [0];
  const watched: typeof open = async (name, ...rest) => {
    const handle = await open(name, ...rest);
    const sync = handle.datasync.bind(handle);
    handle.datasync = async () => {
      await sync();
      sizes.push(statSync(path).size);
    };
    return handle;
  };
  const file = new RevokedHashFile(directory, undefined, { open: watched, syncFile, syncDirectory });
  const all = hashes(0, 25_000);
  await Promise.all([0, 1, 2, 3, 4].map((i) => file.append(all.slice(i * 5000, (i + 1) * 5000))));
  const content = readFileSync(path);
  assert.deepEqual(content, encodeJournal(all));
  for (const [i, size] of sizes.slice(1).entries()) {
    const before = sizes[i] ?? 0;
    writeFileSync(path, Buffer.concat([content.subarray(0, before), Buffer.alloc(size - before)]));
    const { count, truncated } = await new RevokedHashFile(directory).inspect();
    assert.deepEqual([count, truncated], [Math.max(0, before / recordLength - 1), true]);
  }
});
