/** The directory of emails that are written to files. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sweepOutbox } from './outbox-transport.ts';

test('old emails and leftovers are deleted from the outbox, and nothing else', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'soku-test-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const seconds = 1_800_000_000;
  const write = (name: string, at: number) => {
    writeFileSync(join(directory, name), '');
    utimesSync(join(directory, name), at, at);
  };
  write('mail_old.eml', seconds - 1);
  write('mail_left.eml.0123456789ab.partial', seconds - 1);
  write('mail_new.eml', seconds);
  write('mail_being_written.eml.0123456789ab.partial', seconds);
  write('notes.txt', seconds - 1);
  await sweepOutbox(directory, seconds * 1000);
  assert.deepEqual(readdirSync(directory).sort(), [
    'mail_being_written.eml.0123456789ab.partial',
    'mail_new.eml',
    'notes.txt',
  ]);
  await sweepOutbox(join(directory, 'missing'), seconds * 1000);
});
