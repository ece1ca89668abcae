/** What the gateway sends to the API about the client and its request, and which proxies it trusts. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { callWithFields, type Fields } from '../support/http.ts';
import { openSession } from '../support/session.ts';
import { behindGateway, startGateway, Upstream } from './gateway.ts';

const upstream = await Upstream.start();
const { server, gateway } = await startGateway(upstream.url);
const { apiKey } = await (await openSession(server)).createKey({ name: 'good' });
after(async () => {
  await server.stop();
  await upstream.stop();
});

/** Sends a request through the gateway, which must accept it. @returns what the upstream received */
async function forward(fields: Fields) {
  const response = await callWithFields(gateway, {
    fields: [['Authorization', `Bearer ${apiKey}`], ...fields],
  });
  assert.equal(response.status, 200, response.text);
  return upstream.last;
}

test('the API gets the origin of the request, and a client cannot forge it', async () => {
  const forwarded = await forward([
    ['X-Forwarded-For', '6.6.6.6'],
    ['X_Forwarded_For', '6.6.6.6'],
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Host', 'evil.example'],
    // Not a port of this machine, so that it cannot be confused with the test's own servers.
    ['X-Forwarded-Port', '99999'],
    ['Forwarded', 'for=6.6.6.6'],
    ['X-Real-IP', '6.6.6.6'],
  ]);
  assert.equal(forwarded.headers.host, new URL(upstream.url).host);
  assert.equal(forwarded.headers['x-forwarded-for'], '127.0.0.1');
  assert.equal(forwarded.headers['x-forwarded-proto'], 'http');
  assert.equal(forwarded.headers['x-forwarded-host'], new URL(gateway).host);
  assert.doesNotMatch(forwarded.fields.join(), /6\.6\.6\.6|evil|99999|https/);
});

test('the fields of a trusted proxy are kept, and its address is appended', async (t) => {
  const { upstream: proxied, callGateway } = await behindGateway(
    t,
    (request, response) => response.end(JSON.stringify(request.headers)),
    { env: { TRUST_PROXY: '127.0.0.1' } },
  );
  const response = await callGateway('/', {
    fields: [
      ['X-Forwarded-For', '10.9.8.7'],
      ['X-Forwarded-Proto', 'https'],
      ['X-Forwarded-Host', 'api.example.com'],
      ['X-Forwarded-Port', '443'],
    ],
  });
  const headers = JSON.parse(response.text);
  assert.equal(headers['x-forwarded-for'], '10.9.8.7, 127.0.0.1');
  assert.equal(headers['x-forwarded-proto'], 'https');
  assert.equal(headers['x-forwarded-host'], 'api.example.com');
  assert.equal(headers['x-forwarded-port'], '443');
  assert.equal(headers.host, new URL(proxied.url).host);
});

const claims = [
  'True-Client-IP',
  'X-Client-IP',
  'X-Real-IP',
  'X-Cluster-Client-IP',
  'CF-Connecting-IP',
  'Fastly-Client-IP',
  'X-Original-URI',
  'X-Original-URL',
  'X-Original-Method',
  'X-Original-Forwarded-For',
  'X-Rewrite-URL',
  'X-Forwarded-User',
  'X-Forwarded-Prefix',
  'X-Auth-Request-User',
  'X-Remote-User',
  'Remote-User',
];

test('proxy fields are forwarded only from a trusted proxy, and never in another spelling', async (t) => {
  const respelled = claims.flatMap((name) => [
    name.replaceAll('-', '_'),
    name.replace('-', '_'),
    name.replace('-', '.'),
  ]);
  const fields = (names: readonly string[]): Fields => names.map((name) => [name, '6.6.6.6']);
  const forwarded = await forward([...fields(claims), ...fields(respelled), ['X-Mine', '6.6.6.6']]);
  const kept = forwarded.fields.filter((_, i) => forwarded.fields[i + 1] === '6.6.6.6');
  assert.deepEqual(kept, ['X-Mine']);

  const { callGateway } = await behindGateway(
    t,
    ({ rawHeaders }, response) =>
      response.end(rawHeaders.filter((_, i) => rawHeaders[i + 1] === '6.6.6.6').join()),
    { env: { TRUST_PROXY: '127.0.0.1' } },
  );
  const response = await callGateway('/', {
    fields: [...fields(claims), ...fields(respelled), ['Forwarded', '6.6.6.6']],
  });
  assert.deepEqual(response.text.split(','), claims);
});

test('with TRUST_PROXY_HEADER=forwarded, the gateway forwards only Forwarded, and no X-Forwarded-*', async (t) => {
  const { callGateway } = await behindGateway(
    t,
    ({ rawHeaders }, response) =>
      response.end(
        rawHeaders
          .flatMap((name, i) => (/forwarded/i.test(name) ? [name, rawHeaders[i + 1]] : []))
          .join(' | '),
      ),
    { env: { TRUST_PROXY: '127.0.0.1', TRUST_PROXY_HEADER: 'forwarded' } },
  );
  const forwardedBy = async (...fields: Fields) =>
    (await callGateway('/', { fields })).text.replace(/localhost:\d+/, 'HOST');
  const ownElement = 'for=127.0.0.1;host="HOST";proto=http';
  assert.equal(await forwardedBy(), `Forwarded | ${ownElement}`);
  assert.equal(
    await forwardedBy(
      ['X-Forwarded-For', '6.6.6.6'],
      ['X-Forwarded-Proto', 'https'],
      ['X_Forwarded_For', '6.6.6.6'],
    ),
    `Forwarded | ${ownElement}`,
  );
  const list = 'for="[2001:db8::7]:443";proto=https, for=10.1.2.3';
  assert.equal(await forwardedBy(['Forwarded', list]), `Forwarded | ${list}, ${ownElement}`);
  assert.equal(
    await forwardedBy(['Forwarded', 'for="6.6.6.6'], ['Forwarded', 'for=203.0.113.7']),
    `Forwarded | for=203.0.113.7, ${ownElement}`,
    'an unclosed quote of a client would hide the rest',
  );
});
