import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lastWrite } from './last-write.ts';

test('a last write that fails is tried again', async () => {
  let tries = 0;
  await lastWrite(async () => {
    tries += 1;
    if (tries < 3) throw new Error('database is locked');
  });
  assert.equal(tries, 3);
});
