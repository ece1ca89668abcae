/** Whose address a request is taken to come from, and what happens when there is none. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { usageSchema } from '@soku/server/usage-schemas';
import { exchange } from '../support/http.ts';
import { startServer } from '../support/server.ts';

const proxied = await startServer({ env: { TRUST_PROXY: '127.0.0.1,10.0.0.0/8' } });
after(() => proxied.stop());
const ada = await proxied.signIn();
const { apiKey, key } = await ada.makeKey({ name: 'from where?' });

/** The address that is told as the last one from which the key was used. */
async function addressAfter(forwarded: string): Promise<string | undefined> {
  const answer = await exchange(`${proxied.url}/v1/verify`, {
    fields: [
      ['Authorization', `Bearer ${apiKey}`],
      ['X-Forwarded-For', forwarded],
    ],
  });
  assert.equal(answer.status, 204);
  const usage = await ada.call('GET', `/v1/api-keys/${key.id}/usage`);
  return usageSchema.parse(usage.body).lastUsed?.address;
}

test('behind trusted proxies it is the last address that none of them has', async () => {
  assert.equal(await addressAfter('203.0.113.7'), '203.0.113.7');
  assert.equal(await addressAfter('198.51.100.1, 203.0.113.8, 10.1.2.3'), '203.0.113.8');
  assert.equal(await addressAfter('2001:db8::7'), '2001:db8::7');
});

test('what is no address is not taken for one, least of all a key', async () => {
  for (const forwarded of [
    'unknown',
    apiKey,
    `${apiKey}, 10.1.2.3`,
    '203.0.113.7:4711',
    '999.1.1.1',
    `fe80::1%${apiKey.slice(8)}`,
    ',',
    '"',
  ]) {
    assert.equal(await addressAfter(forwarded), '127.0.0.1', forwarded);
  }
});

test('a client that has hung up before its request is read ends nothing but its own connection', async () => {
  const { port } = new URL(proxied.url);
  const request = `GET /v1/verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${apiKey}\r\n\r\n`;
  for (let i = 0; i < 200; i++) {
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write(request.repeat(20), () => socket.resetAndDestroy());
    await once(socket, 'close');
  }
  assert.equal((await exchange(`${proxied.url}/healthz`)).status, 200);
  assert.doesNotMatch(proxied.output, /bug/);
});
