import assert from 'node:assert/strict';
import * as nodeFileSystem from 'node:fs';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createFile, type FileSystem, renameNoReplace } from './durable-files.ts';

function temporary(t: TestContext): { directory: string; file: string } {
  const directory = mkdtempSync(join(tmpdir(), 'soku-test-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return { directory, file: join(directory, 'once') };
}

class DiskError extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/**
 * A file system that records its calls and fails at one of them.
 *
 * @param errors by call, such as `fsyncSync directory`, the code of its error
 */
function watched(directory: string, errors: Record<string, string> = {}) {
  const calls: string[] = [];
  const opened = new Map<number, string>();
  const kindOf = (path: unknown) =>
    path === directory ? 'directory' : String(path).endsWith('.partial') ? 'partial' : 'file';
  const note = (call: string) => {
    calls.push(call);
    const code = errors[call];
    if (code !== undefined) throw new DiskError(code);
  };
  const fs: FileSystem = {
    ...nodeFileSystem,
    openSync: (path, ...rest) => {
      note(`openSync ${kindOf(path)}`);
      const descriptor = nodeFileSystem.openSync(path, ...rest);
      opened.set(descriptor, kindOf(path));
      return descriptor;
    },
    fsyncSync: (descriptor) => {
      note(`fsyncSync ${opened.get(descriptor)}`);
      nodeFileSystem.fsyncSync(descriptor);
    },
    linkSync: (from, to) => {
      note(`linkSync ${kindOf(from)}`);
      nodeFileSystem.linkSync(from, to);
    },
    renameSync: (from, to) => {
      note(`renameSync ${kindOf(from)}`);
      nodeFileSystem.renameSync(from, to);
    },
    writeFileSync: (path, ...rest) => {
      note(`writeFileSync ${kindOf(path)}`);
      nodeFileSystem.writeFileSync(path, ...rest);
    },
  };
  return { fs, calls };
}

test('a file gets its name after its content is on disk, and the name is on disk at the end', (t) => {
  const { directory, file } = temporary(t);
  const { fs, calls } = watched(directory);
  assert.equal(createFile(file, 'all of it\n', fs), true);
  assert.deepEqual(
    calls.filter((call) => !call.startsWith('openSync')),
    ['writeFileSync partial', 'fsyncSync partial', 'linkSync partial', 'fsyncSync directory'],
  );
  assert.deepEqual(readdirSync(directory), ['once']);
  assert.equal(readFileSync(file, 'utf8'), 'all of it\n');
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('an existing file is not replaced, with or without links', (t) => {
  const { directory, file } = temporary(t);
  writeFileSync(file, 'first');
  for (const errors of [{}, { 'linkSync partial': 'EPERM' }]) {
    assert.equal(createFile(file, 'second', watched(directory, errors).fs), false);
    assert.equal(readFileSync(file, 'utf8'), 'first');
    assert.deepEqual(readdirSync(directory), ['once']);
  }
});

test('a failure before the content is on disk leaves no file', (t) => {
  const { directory, file } = temporary(t);
  for (const [call, code] of [
    ['writeFileSync partial', 'ENOSPC'],
    ['fsyncSync partial', 'EIO'],
    ['linkSync partial', 'EDQUOT'],
  ] as const) {
    assert.throws(() => createFile(file, 'all of it', watched(directory, { [call]: code }).fs), { code });
    assert.deepEqual(readdirSync(directory), [], call);
  }
});

test('on a file system without links the file is created, and nothing is left when the rename fails', (t) => {
  const { directory, file } = temporary(t);
  const noLinks = { 'linkSync partial': 'ENOTSUP' };
  const { fs } = watched(directory, { ...noLinks, 'renameSync partial': 'EIO' });
  assert.throws(() => createFile(file, 'all of it', fs), { code: 'EIO' });
  assert.deepEqual(readdirSync(directory), []);
  const { fs: working, calls } = watched(directory, noLinks);
  assert.equal(createFile(file, 'all of it', working), true);
  assert.deepEqual(calls.slice(-3), ['renameSync partial', 'openSync directory', 'fsyncSync directory']);
  assert.equal(readFileSync(file, 'utf8'), 'all of it');
});

test('a directory that does not support sync is not a failure, but a failing disk is', (t) => {
  const { directory, file } = temporary(t);
  const place = (code: string) => {
    const partial = `${file}.partial`;
    rmSync(file, { force: true });
    writeFileSync(partial, 'all of it');
    return renameNoReplace(partial, file, watched(directory, { 'fsyncSync directory': code }).fs);
  };
  assert.equal(place('EINVAL'), true);
  assert.throws(() => place('EIO'), { code: 'EIO' });
});
