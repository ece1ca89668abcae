import { hash } from 'node:crypto';
import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKey } from '@soku/key';

/**
 * Keys that follow from a number, so that millions need no file: who fills the database and who sends requests make
 * the same ones. They open nothing but the databases of the bench.
 */
export function keyAt(number: number): string {
  return keyOf(`key ${number}`);
}

/** Well formed, with a right checksum, and in no database. */
export function unknownKeyAt(number: number): string {
  return keyOf(`unknown ${number}`);
}

function keyOf(label: string): string {
  const bytes = hash('sha512', label, 'buffer');
  let drawn = 0;
  return generateKey({
    random: (count) => {
      drawn += count;
      return bytes.subarray(drawn - count, drawn);
    },
  });
}

/** Numbers of `wanted` keys that lie evenly among the first `count`. */
export function spread(wanted: number, count: number): number[] {
  const step = Math.max(1, count / wanted);
  return Array.from({ length: Math.min(wanted, count) }, (_, i) => Math.floor(i * step));
}

/** Files with one key a line, for the load; they go when the scope does that `using` made them in. */
export function keyFiles(): Disposable & { write(keys: readonly string[]): string } {
  const directory = mkdtempDisposableSync(join(tmpdir(), 'soku-keys-'));
  let files = 0;
  return {
    write: (keys) => {
      files += 1;
      const file = join(directory.path, String(files));
      writeFileSync(file, keys.join('\n'), { mode: 0o600 });
      return file;
    },
    [Symbol.dispose]: directory.remove,
  };
}
