/** Which client address the server derives from a request, and what happens if there is none. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { usageSchema } from '@soku/contract/usage';
import { clockEnvironment } from '../support/clock.ts';
import { assertProblem } from '../support/contract.ts';
import { callWithFields } from '../support/http.ts';
import { call, cookiesOf } from '../support/person.ts';
import { owner, startServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';

const TRUST_PROXY = '127.0.0.1,10.0.0.0/8';
const proxied = await startServer({ env: { TRUST_PROXY } });
after(() => proxied.stop());
const ada = await openSession(proxied);
const { apiKey, key } = await ada.createKey({ name: 'from where?' });

/** The address that is reported as the last one that used the key. */
async function addressAfter(...forwarded: string[]): Promise<string | undefined> {
  const fields = forwarded.map((value) => ['X-Forwarded-For', value] as const);
  const response = await callWithFields(`${proxied.url}/v1/verify`, {
    fields: [['Authorization', `Bearer ${apiKey}`], ...fields],
  });
  assert.equal(response.status, 204);
  const usage = await ada.call('GET', `/v1/api-keys/${key.id}/usage`);
  return usageSchema.parse(usage.body).lastUsed?.address;
}

test('behind trusted proxies, the client address is the last one that is not a trusted proxy', async () => {
  assert.equal(await addressAfter('203.0.113.7'), '203.0.113.7');
  assert.equal(await addressAfter('198.51.100.1, 203.0.113.8, 10.1.2.3'), '203.0.113.8');
  assert.equal(await addressAfter('2001:db8::7'), '2001:db8::7');
});

test('an address is recognized with a port, in brackets, in quotes, with a zone, and mapped to IPv6', async () => {
  for (const form of ['203.0.113.7:4711', '"203.0.113.7"', '::ffff:203.0.113.7', '[::ffff:cb00:7107]:80']) {
    assert.equal(await addressAfter(form), '203.0.113.7', form);
    assert.equal(await addressAfter('198.51.100.1', `${form}, 10.1.2.3:80`), '203.0.113.7', form);
  }
  for (const form of ['[2001:db8::7]', '[2001:DB8::7]:443', '2001:db8:0::7']) {
    assert.equal(await addressAfter(form), '2001:db8::7', form);
  }
  assert.equal(await addressAfter(`fe80::1%${apiKey.slice(8)}`), 'fe80::1', 'a zone can be any text');
});

const unreadable = [
  'unknown',
  '',
  ',',
  '"',
  '999.1.1.1',
  '127.0.0.1, unknown',
  '203.0.113.7, ',
  '127.0.0.1 x',
];

test('text that is not an address means an unknown client, not the proxy, and is never stored', async () => {
  for (const forwarded of [...unreadable, apiKey, `203.0.113.7, ${apiKey}, 10.1.2.3`]) {
    assert.equal(await addressAfter(forwarded), 'unknown', forwarded);
  }
});

test('an unknown client is never treated as local', async () => {
  for (const path of ['/metrics', '/v1/nodes']) {
    assert.equal((await callWithFields(proxied.url + path)).status, 200);
    for (const forwarded of [
      ...unreadable,
      '203.0.113.7:1',
      '[2001:db8::7]',
      '[2001:db8::7]:443',
      '127.0.0.1',
    ]) {
      const fields = [['X-Forwarded-For', forwarded]] as const;
      assertProblem(await callWithFields(proxied.url + path, { fields }), 'not_found');
    }
  }
});

test('a client cannot hide the field of the proxy by sending many fields of its own', async () => {
  const many = Array.from({ length: 1100 }, () => ['A', 'b'] as const);
  const named = ['X-Forwarded-For', '203.0.113.9'] as const;
  const authorization = ['Authorization', `Bearer ${apiKey}`] as const;
  const response = await callWithFields(`${proxied.url}/v1/verify`, {
    fields: [authorization, ...many, named],
  });
  assert.equal(response.status, 204, response.text);
  const usage = await ada.call('GET', `/v1/api-keys/${key.id}/usage`);
  assert.equal(usageSchema.parse(usage.body).lastUsed?.address, '203.0.113.9');
  assertProblem(await callWithFields(`${proxied.url}/metrics`, { fields: [...many, named] }), 'not_found');
});

test('a session records the address of its sign-in, and all unknown clients share one sign-in limit', async (t) => {
  // The clock of the server is at the start of a minute, so all attempts count in full.
  const minute = 60_000;
  const clock = clockEnvironment(Math.floor(Date.now() / minute) * minute);
  const early = await startServer({ env: { TRUST_PROXY, ...clock } });
  t.after(() => early.stop());
  const signIn = (forwarded: string, password: string) =>
    call(`${early.url}/api/auth/sign-in/email`, {
      method: 'POST',
      headers: { 'x-forwarded-for': forwarded },
      body: { ...owner, password },
    });
  const signedIn = await signIn('203.0.113.66:4711', owner.password);
  assert.equal(signedIn.status, 200);
  const headers = { cookie: cookiesOf(signedIn.headers) };
  const sessions = await call(`${early.url}/api/auth/list-sessions`, { headers });
  assert.match(sessions.text, /"ipAddress":"203\.0\.113\.66"/);
  // At the same time, because those that are rejected while another one waits count too, and hash no password.
  const unknown = ['unknown', '999.1.1.1', '', 'x', '"', ',', '1.2.3', '[', ':1', '_hidden'];
  const guesses = await Promise.all(unknown.map((forwarded) => signIn(forwarded, 'wrong')));
  const statuses = guesses.map(({ status }) => status);
  assert.ok(statuses.includes(401) && statuses.every((one) => one === 401 || one === 503), statuses.join());
  assert.equal((await signIn('unknown', owner.password)).status, 429);
  assert.equal((await signIn('203.0.113.66:4712', owner.password)).status, 200);
});

test('with TRUST_PROXY_HEADER=forwarded, only Forwarded is read, and X-Forwarded-For is ignored', async () => {
  // At this level each request has a line in the log.
  const env = { TRUST_PROXY, TRUST_PROXY_HEADER: 'forwarded', LOG_LEVEL: 'debug' };
  const server = await startServer({ env });
  try {
    const from = async (forwarded: string, path = '/v1/verify') => {
      const { status, headers } = await callWithFields(server.url + path, {
        fields: [
          ['X-Forwarded-For', '127.0.0.1'],
          ['Forwarded', forwarded],
        ],
      });
      const id = headers.get('x-request-id') ?? 'none';
      await server.printed(id);
      const line = server.output.split('\n').find((text) => text.includes(id)) ?? '';
      return [status, /"address":"([^"]*)"/.exec(line)?.[1]];
    };
    assert.deepEqual(await from('for="[2001:db8::7]:443";proto=https'), [401, '2001:db8::7']);
    assert.deepEqual(await from('for=6.6.6.6;by="a, for=203.0.113.7;proto=http'), [401, '203.0.113.7']);
    assert.deepEqual(await from('for=203.0.113.8, For="10.1.2.3:80"'), [401, '203.0.113.8']);
    for (const forwarded of ['for=unknown', 'for=_hidden', 'proto=https', '', 'for=127.0.0.1']) {
      const [status] = await from(forwarded, '/metrics');
      assert.equal(status, 404, forwarded);
    }
    assert.deepEqual(await from('for=_hidden'), [401, 'unknown']);
  } finally {
    await server.stop();
  }
});

test('a client that disconnects before its request is read affects only its own connection', async () => {
  const { port } = new URL(proxied.url);
  const request = `GET /v1/verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${apiKey}\r\n\r\n`;
  for (let i = 0; i < 200; i++) {
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write(request.repeat(20), () => socket.resetAndDestroy());
    await once(socket, 'close');
  }
  assert.equal((await callWithFields(`${proxied.url}/healthz`)).status, 200);
  assert.doesNotMatch(proxied.output, /bug/);
});
