/** Files of the revocation journal, and a directory for them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { crc32 } from 'node:zlib';
import { RevokedHashFile } from '../../packages/server/src/journal/file.ts';
import { encodeHeader, encodeRecords, noTextJournal } from '../../packages/server/src/journal/record.ts';
import { StartupError } from '../../packages/server/src/startup-error.ts';

/** Deterministic hashes. */
export function hashes(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) =>
    createHash('sha256')
      .update(String(from + i))
      .digest('hex'),
  );
}

export function temporaryJournal(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'soku-test-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return {
    directory,
    path: join(directory, 'revoked-hashes'),
    textPath: join(directory, 'dead-hashes'),
    file: new RevokedHashFile(directory),
  };
}

/** The file content that this version writes. */
export function encodeJournal(some: readonly string[]): Buffer {
  return Buffer.concat([encodeHeader(noTextJournal), encodeRecords(some)]);
}

/** The hashes in a file of this version, in order. */
export function decodeJournal(content: Buffer): string[] {
  const count = Math.floor(content.length / 36);
  return Array.from({ length: Math.max(0, count - 1) }, (_, i) => {
    return content.toString('hex', (i + 1) * 36, (i + 1) * 36 + 32);
  });
}

/** The file content that an earlier version wrote. */
export function encodeTextJournal(some: readonly string[]): string {
  return some.map((hash) => `${hash} ${crc32(hash).toString(16).padStart(8, '0')}\n`).join('');
}

export async function readAll(file: RevokedHashFile): Promise<string[]> {
  return Array.from(await file.readAll());
}

/** The exit code and message of work that must fail with a StartupError. */
export async function startupErrorOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => assert.fail('it did not fail'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof StartupError, String(error));
  return `${error.exitCode} ${error.message}`;
}
