import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { StartupError } from '../startup-error.ts';
import { readOrCreateSecret } from './secret.ts';

function temporary(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'soku-test-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

test('a secret is created once, readable by its owner only, and reused afterwards', (t) => {
  const directory = temporary(t);
  const file = join(directory, 'secret');
  const secret = readOrCreateSecret(undefined, file);
  assert.match(secret, /^[\w-]{43}$/);
  assert.equal(readOrCreateSecret(undefined, file), secret);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(readFileSync(file, 'utf8'), `${secret}\n`);
  assert.deepEqual(readdirSync(directory), ['secret']);
});

/** Reads or creates the secret in each file named on standard input, and prints it. */
const program = `
  import { createInterface } from 'node:readline';
  import { readOrCreateSecret } from ${JSON.stringify(new URL('secret.ts', import.meta.url).href)};
  for await (const file of createInterface(process.stdin)) console.log(readOrCreateSecret(undefined, file));`;

test('processes that start at the same time agree on one secret', async (t) => {
  const directory = temporary(t);
  const processes = Array.from({ length: 3 }, () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    t.after(() => child.kill());
    return { child, lines: createInterface(child.stdout)[Symbol.asyncIterator]() };
  });
  // Many rounds, because a race condition does not show every time.
  for (let round = 0; round < 100; round++) {
    for (const { child } of processes) child.stdin.write(`${join(directory, String(round))}\n`);
    const [first, ...others] = await Promise.all(processes.map(({ lines }) => lines.next()));
    assert.match(String(first?.value), /^[\w-]{43}$/);
    for (const other of others) assert.equal(other.value, first?.value);
  }
});

test('a secret that cannot be created stops the start with a message', (t) => {
  const file = join(temporary(t), 'missing', 'secret');
  assert.throws(
    () => readOrCreateSecret(undefined, file),
    (error) => error instanceof StartupError && error.exitCode === 73 && error.message.includes(file),
  );
});

test('a file without a complete secret stops the start and is not changed', (t) => {
  const file = join(temporary(t), 'secret');
  writeFileSync(file, 'short\n');
  assert.throws(
    () => readOrCreateSecret(undefined, file),
    (error) => error instanceof StartupError && error.exitCode === 65,
  );
  assert.equal(readFileSync(file, 'utf8'), 'short\n');
});
