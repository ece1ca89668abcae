import { hash } from 'node:crypto';
import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKey } from '@soku/key';

/**
 * Keys derived from a number, so that millions need no file: the programs that fill the database and those that send
 * requests derive the same ones. They are valid only in the databases of the bench.
 */
export function keyAt(number: number): string {
  return keyOf(`key ${number}`);
}

/** Well formed, with a correct checksum, and in no database. */
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

/** The numbers of `wanted` keys, spread evenly over the first `count`. */
export function spreadEvenly(wanted: number, count: number): number[] {
  const step = Math.max(1, count / wanted);
  return Array.from({ length: Math.min(wanted, count) }, (_, i) => Math.floor(i * step));
}

/** Files with one key per line for the load; disposing removes them. */
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
