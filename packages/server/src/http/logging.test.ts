import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { escapeForTerminal } from './logging.ts';

test('no text of a log line can move the cursor of a terminal or start a new line', () => {
  const line = JSON.stringify({
    msg: 'a\u001b[2J\nb',
    file: '\u009b31m\u202ex',
    err: { stack: 'at\n  b\u0007' },
  });
  assert.deepEqual(JSON.parse(escapeForTerminal(`${line}\n`)), {
    msg: 'a\\u001b[2J b',
    file: '\\u009b31m\\u202ex',
    err: { stack: 'at\n  b\\u0007' },
  });
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (msg) => {
      assert.doesNotMatch(
        JSON.parse(escapeForTerminal(`${JSON.stringify({ msg })}\n`)).msg,
        /(?!\t)[\p{Cc}\p{Cf}]/u,
      );
    }),
  );
});
