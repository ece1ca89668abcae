import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

test('the example in the README runs and returns what its comments say', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const example = /```js\n(.*?)```/s.exec(readme)?.[1] ?? '';
  // Each expression statement becomes an export, so that the test sees its value.
  const source = example
    .replace("'@soku/key'", `'${new URL('./index.ts', import.meta.url)}'`)
    .replace(/^await /m, 'export const hash = await ')
    .replace(/^formatPreview/m, 'export const preview = formatPreview')
    .replace(/^explainKey/m, 'export const message = explainKey')
    .replace(/^redactKeys/m, 'export const redacted = redactKeys');
  const ran: Record<string, unknown> = await import(`data:text/javascript,${encodeURIComponent(source)}`);
  assert.ok(ran.hash instanceof Uint8Array && ran.hash.length === 32);
  assert.match(String(ran.preview), /^sk_live_\w{3}\.\.\.\w{3}$/);
  assert.match(String(ran.message), /^This key has 37 characters; a key has 40: /);
  assert.equal(ran.redacted, 'GET /v1/me?key=[redacted]');
});
