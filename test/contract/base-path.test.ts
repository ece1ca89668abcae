/** A public URL with a path: the server accepts only what is below it, and every address that it sends is below it. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { errorSchema } from '@soku/contract/errors';
import { z } from 'zod';
import { outboxMails } from '../support/outbox.ts';
import { bearer, call, Person } from '../support/person.ts';
import { owner, startServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';

const publicUrl = 'https://example.com/soku';
const server = await startServer({ env: { SOKU_PUBLIC_URL: `${publicUrl}/` } });
after(() => server.stop());
const base = `${server.url}/soku`;
const ada = new Person(base, (await openSession(server)).cookie);
const { apiKey } = await ada.createKey({ name: 'proxy', scopes: ['keys:verify'] });

const get = (url: string) => call(url, { headers: bearer(apiKey) });

test('keys are verified below the path', async () => {
  assert.equal((await get(`${base}/v1/verify`)).status, 204);
  assert.equal((await get(`${base}/v1/verify?scope=keys:write`)).status, 403);
  assert.equal((await get(`${base}/v1/verify/orders?page=2`)).status, 200);
  assert.equal((await get(`${base}/v1/me`)).status, 200);
  const verified = await call(`${base}/v1/verify`, {
    method: 'POST',
    headers: bearer(apiKey),
    body: { apiKey },
  });
  assert.deepEqual([verified.status, z.looseObject({}).parse(verified.body).valid], [200, true]);
});

for (const path of [
  '/v1/verify',
  '/v1/verify/orders',
  '/v1/me',
  '/sokus/v1/verify',
  '//soku/v1/verify',
  '/',
  '/docs',
])
  test(`${path} is outside the path, and the error explains it`, async () => {
    const response = await call(server.url + path, { headers: { ...bearer(apiKey), accept: 'text/html' } });
    assert.equal(response.status, 404);
    const { error } = errorSchema.parse(response.body);
    assert.equal(error.code, 'not_found');
    assert.match(
      error.message,
      /only serves https:\/\/example\.com\/soku .* proxy .* must pass the path on unchanged/,
    );
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  });

test('POST /v1/verify outside the path verifies nothing', async () => {
  const options = { method: 'POST', headers: bearer(apiKey), body: { apiKey } };
  assert.equal((await call(`${server.url}/v1/verify`, options)).status, 404);
});

test('health and metrics are at the root for load balancers, and below the path', async () => {
  for (const path of ['/healthz', '/readyz', '/metrics'])
    for (const url of [server.url, base]) assert.equal((await call(url + path)).status, 200, url + path);
});

test('cookies are sent to the path only, and the origin has none', async () => {
  const signIn = (origin: string) =>
    call(`${base}/api/auth/sign-in/email`, { method: 'POST', headers: { origin }, body: owner });
  const accepted = await signIn('https://example.com');
  const cookies = accepted.headers.getSetCookie();
  assert.equal(cookies.length, 2, 'the session and the device');
  const cookie = cookies.map((one) => one.split(';', 1)).join('; ');
  const signedOut = await call(`${base}/api/auth/sign-out`, {
    method: 'POST',
    headers: { origin: 'https://example.com', cookie },
    body: {},
  });
  assert.equal(signedOut.status, 200);
  const removed = signedOut.headers.getSetCookie();
  assert.ok(removed.some((one) => /; Max-Age=0/i.test(one)));
  for (const one of [...cookies, ...removed]) {
    assert.match(one, /^__Secure-soku_session_[0-9a-f]{8}/);
    assert.match(one, /; Path=\/soku(;|$)/i);
    assert.match(one, /; Secure/i);
    assert.doesNotMatch(one, /; Domain/i);
  }
  assert.equal((await signIn('https://other.example.com')).status, 403);
});

test('the page refers to its files, the API and all other URLs with the path', async () => {
  for (const path of ['', '/', '/settings/api']) {
    const { status, text } = await call(base + path);
    assert.equal(status, 200, path);
    const addresses = [...text.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, address = '']) => address);
    assert.ok(addresses.length > 8, text);
    for (const address of addresses) assert.match(address, /^\/soku\/[\w./-]+$/);
    const [script = ''] = addresses.filter((address) => address.includes('index-'));
    assert.equal((await call(server.url + script)).status, 200);
  }
  const { body } = await call(`${base}/openapi.json`);
  const { servers, info } = z
    .object({
      servers: z.unknown(),
      info: z.object({ description: z.string(), contact: z.object({ url: z.string() }) }),
    })
    .parse(body);
  assert.deepEqual(servers, [{ url: publicUrl }]);
  assert.match(info.description, / \/soku\/help\/api-troubleshooting\./);
  assert.match(info.contact.url, new RegExp(`^${publicUrl}/help/`));
  const missing = errorSchema.parse((await call(`${base}/v1/nothing`)).body);
  assert.match(missing.error.message, /listed at \/soku\/docs\./);
  const session = z.looseObject({}).parse((await ada.call('GET', '/api/session')).body);
  assert.equal(session.publicUrl, publicUrl);
});

test('links of emails are below the path, and unsubscribing works there', async () => {
  const { key } = await ada.createKey({ name: 'mailed' });
  const [mail] = await outboxMails(server, ({ text }) => text.includes(key.id));
  assert.ok(mail?.text.includes(`${publicUrl}/settings/api/${key.id}`), mail?.text);
  assert.ok(mail?.text.includes(`${publicUrl}/settings/account`), mail?.text);
  const link = mail?.headers.get('list-unsubscribe')?.slice(1, -1) ?? '';
  assert.ok(link.startsWith(`${publicUrl}/unsubscribe/`), link);
  const here = link.replace('https://example.com', server.url);
  assert.equal((await call(here)).status, 200);
  const done = await call(here, { method: 'POST' });
  assert.equal(done.status, 200);
  const invalid = await call(`${base}/unsubscribe/x`);
  for (const { text } of [done, invalid]) assert.match(text, /<a href="\/soku\/settings\/account">/);
});
