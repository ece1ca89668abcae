import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { eventually } from '../support/contract.ts';
import { describeProxy } from './suite.ts';

const recipe = {
  program: 'haproxy',
  page: 'docs/protect-with-haproxy.md',
  examples: ['examples/haproxy/haproxy.cfg', 'examples/haproxy/soku.lua'],
  openBefore: '    # Calls Soku.',
  scopesBefore: '    # Calls Soku.',
  prepare: (folder: string) => ['-db', '-f', join(folder, 'haproxy.cfg')],
};

describeProxy(recipe, (fixture, program) => {
  test('if soku.lua has an error, HAProxy keeps running and accepts no request', async (t) => {
    const edit = (text: string): string => text.replace('core.httpclient()', 'core.nothing()');
    const broken = await fixture().startSecondProxy(recipe, program, edit);
    t.after(() => broken.stop());
    const { apiKey } = await fixture().ada.createKey({ name: 'valid' });
    assert.equal((await broken.send({ key: apiKey })).status, 503);
    assert.equal(broken.api.received.length, 0);
    await eventually(
      () => setImmediate(broken.proxy).then((proxy) => proxy.logs),
      (logs) => /runtime error: .*soku\.lua.*nothing/.test(logs),
    );
  });
});
