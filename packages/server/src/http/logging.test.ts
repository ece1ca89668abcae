import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { generateKey } from '@soku/key';
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

for (const terminal of [true, false]) {
  test(`a log ${terminal ? 'on a terminal' : 'for programs'} contains no key`, async () => {
    const apiKey = generateKey({ prefix: 'sk_live_' });
    const program = `
      const { createLog } = await import(process.argv[1]);
      const log = await createLog('info', ${terminal});
      const error = new Error('wrong ' + process.argv[2]);
      log.error({ err: error, header: process.argv[2] }, 'failed with ' + process.argv[2]);`;
    const logging = new URL('logging.ts', import.meta.url).href;
    const args = ['--input-type=module', '--eval', program, logging, apiKey];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
    assert.equal(stderr, '');
    assert.match(stdout, /failed with \[redacted\]/);
    assert.ok(!stdout.includes(apiKey.slice(-20)), stdout);
  });
}
