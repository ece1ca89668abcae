/** The requirements of OWASP ASVS 5.0 that concern browsers: cookies, headers, and pages of other sites. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { keyListSchema } from '@soku/contract/keys';
import { assertProblem, Contract } from '../support/contract.ts';
import { exchange, type Fields } from '../support/http.ts';
import { call, type HttpResponse } from '../support/person.ts';
import { owner, startServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const publicUrl = 'https://keys.example.com';
const secure = await startServer({ env: { SOKU_PUBLIC_URL: publicUrl } });
after(() => secure.stop());
const contract = await Contract.of(server);
const ada = await openSession(server);
const { port } = new URL(server.url);

const signIn = (url: string, headers: Record<string, string> = {}) =>
  call(`${url}/api/auth/sign-in/email`, { method: 'POST', headers, body: owner });

/** The session cookie of an answer, taken apart. */
function cookieOf(answer: HttpResponse): { name: string; value: string; attributes: string[] } {
  const cookies = answer.headers
    .getSetCookie()
    .filter((cookie) => /^[^=]*soku_session_[0-9a-f]{8}=/.test(cookie));
  assert.equal(cookies.length, 1, cookies.join('\n'));
  const [pair = '', ...attributes] = (cookies[0] ?? '').split(/; */);
  const at = pair.indexOf('=');
  const lower = attributes.map((attribute) => attribute.toLowerCase()).sort();
  return { name: pair.slice(0, at), value: pair.slice(at + 1), attributes: lower };
}

const html = ['/', '/login', '/settings/api', '/help/authentication', '/no-such-page'];
const everything = [...html, '/v1/me', '/v1/nothing', '/openapi.json', '/healthz', '/api/session'];

const get = (url: string, path: string) =>
  exchange(`${url}${path}`, { fields: html.includes(path) ? [['Accept', 'text/html']] : [] });

/** Fails unless every answer's header matches. */
async function assertHeader(name: string, pattern: RegExp, paths = everything): Promise<void> {
  for (const path of paths) {
    for (const { url } of [server, secure]) {
      assert.match((await get(url, path)).headers.get(name) ?? '', pattern, `${name} of ${path}`);
    }
  }
}

test('ASVS 3.3.1, 3.3.3: on https the session cookie is Secure and bound to the host', async () => {
  const { name, attributes } = cookieOf(await signIn(secure.url));
  assert.match(name, /^__Host-soku_session_[0-9a-f]{8}$/);
  assert.deepEqual(attributes, ['httponly', 'max-age=1209600', 'path=/', 'samesite=lax', 'secure']);
});

test('ASVS 3.3.2, 3.3.4: on http too, no script reads the session cookie and no other site sends it', async () => {
  const { name, attributes } = cookieOf(await signIn(server.url));
  assert.match(name, /^soku_session_[0-9a-f]{8}$/);
  assert.deepEqual(attributes, ['httponly', 'max-age=1209600', 'path=/', 'samesite=lax']);
});

test('ASVS 3.3.3: signing out takes the cookie back with the attributes that it was given', async () => {
  for (const { url } of [server, secure]) {
    const given = cookieOf(await signIn(url));
    const cookie = `${given.name}=${given.value}`;
    const out = await call(`${url}/api/auth/sign-out`, { method: 'POST', headers: { cookie }, body: {} });
    const taken = cookieOf(out);
    assert.equal(taken.name, given.name);
    assert.equal(taken.value, '');
    const kept = given.attributes.filter((attribute) => !attribute.startsWith('max-age'));
    assert.deepEqual(taken.attributes, [...kept, 'max-age=0'].sort());
  }
});

test('ASVS 3.4.1: on https a browser is told to stay there for a year; on http it is told nothing', async () => {
  for (const path of everything) {
    const told = (await get(secure.url, path)).headers.get('strict-transport-security') ?? '';
    assert.ok(Number(/^max-age=(\d+)/.exec(told)?.[1]) >= 31_536_000, path);
    assert.equal((await get(server.url, path)).headers.get('strict-transport-security'), null);
  }
});

test('ASVS 3.4.2: no answer allows another origin to read it', async () => {
  for (const path of everything) {
    for (const origin of ['https://evil.example', 'null']) {
      const answer = await exchange(`${server.url}${path}`, { fields: [['Origin', origin]] });
      for (const [name] of answer.headers) assert.doesNotMatch(name, /^access-control-/);
    }
  }
});

test('ASVS 3.4.3: the content security policy allows nothing inline and nothing from elsewhere', async () => {
  await assertHeader('content-security-policy', /(^|;)default-src 'self'(;|$)/);
  await assertHeader('content-security-policy', /(^|;)script-src 'self'(;|$)/);
  await assertHeader('content-security-policy', /(^|;)object-src 'none'(;|$)/);
  await assertHeader('content-security-policy', /(^|;)base-uri 'none'(;|$)/);
  await assertHeader('content-security-policy', /(^|;)require-trusted-types-for 'script'(;|$)/);
  await assertHeader('content-security-policy', /^(?!.*(unsafe|\*|https?:)).*$/);
});

test('ASVS 3.4.4: no browser guesses another content type', async () => {
  await assertHeader('x-content-type-options', /^nosniff$/);
  assert.equal((await get(server.url, '/%zz')).headers.get('x-content-type-options'), 'nosniff');
});

test('ASVS 3.4.5: no path goes to another site', async () => {
  await assertHeader('referrer-policy', /^no-referrer$/);
});

test('ASVS 3.4.6: no other site shows a page in a frame', async () => {
  await assertHeader('content-security-policy', /(^|;)frame-ancestors 'none'(;|$)/);
  await assertHeader('x-frame-options', /^DENY$/);
});

test('ASVS 3.4.8: a page shares its window with no other origin, and no other origin embeds an answer', async () => {
  await assertHeader('cross-origin-opener-policy', /^same-origin$/);
  await assertHeader('cross-origin-resource-policy', /^same-origin$/);
});

/** Changing calls, with what each needs to succeed. */
const changes = [
  { path: '/v1/api-keys', body: { name: 'forged' } },
  { path: '/api/auth/update-user', body: { name: 'forged' } },
  { path: '/api/auth/change-password', body: { currentPassword: 'x', newPassword: 'forged password' } },
  { path: '/api/auth/revoke-sessions', body: {} },
  { path: '/api/auth/sign-out', body: {} },
];

const post = (path: string, fields: Fields, body: unknown, url = server.url) =>
  exchange(`${url}${path}`, {
    method: 'POST',
    fields: [['Cookie', ada.cookie], ['Content-Type', 'application/json'], ...fields],
    body: JSON.stringify(body),
  });

const foreign: Fields[] = [
  [['Origin', 'https://evil.example']],
  [['Origin', 'null']],
  [['Origin', '']],
  [['Origin', `http://localhost:${port}.evil.example`]],
  [['Origin', `http://localhost:${port}/`]],
  [['Origin', 'http://localhost']],
  [['Origin', `https://localhost:${port}`]],
  [['Origin', `http://localhost:${port}, https://evil.example`]],
  [['Sec-Fetch-Site', 'cross-site']],
  [['Sec-Fetch-Site', 'same-site']],
  [
    ['Origin', 'https://evil.example'],
    ['Sec-Fetch-Site', 'same-origin'],
  ],
];

test('ASVS 3.5.1: a page of another site changes nothing with the session of this one', async () => {
  for (const fields of foreign) {
    for (const { path, body } of changes) {
      const { message } = assertProblem(await post(path, fields, body), 'cross_origin');
      assert.match(message, /SOKU_PUBLIC_URL/);
    }
  }
  const page = await contract.call('GET', '/v1/api-keys?q=forged', { as: ada });
  assert.deepEqual(keyListSchema.parse(page.body).data, []);
});

test('ASVS 3.5.1: a page of this site, and a program that is no browser, may use a session', async () => {
  const own: Fields[] = [
    [],
    [['Origin', `http://localhost:${port}`]],
    [['Origin', `http://127.0.0.1:${port}`]],
    [['Sec-Fetch-Site', 'same-origin']],
    [
      ['Origin', `http://localhost:${port}`],
      ['Sec-Fetch-Site', 'same-origin'],
    ],
  ];
  for (const fields of own) {
    const answer = await post('/v1/api-keys', fields, { name: 'from here' });
    assert.equal(answer.status, 201, JSON.stringify(fields) + answer.text);
  }
});

test('ASVS 3.5.1: behind https only the public origin is this site', async () => {
  const good = await signIn(secure.url, { origin: publicUrl });
  assert.equal(good.status, 200);
  for (const origin of [secure.url, 'http://keys.example.com', 'https://example.com']) {
    assertProblem(await signIn(secure.url, { origin }), 'cross_origin');
  }
});

test('ASVS 3.5.1: nobody is signed in by a page of another site', async () => {
  const answer = await signIn(server.url, { origin: 'https://evil.example' });
  assertProblem(answer, 'cross_origin');
  assert.deepEqual(answer.headers.getSetCookie(), []);
  const body = { code: 'x', name: 'x', email: 'x@example.com', password: 'long enough' };
  assertProblem(await post('/api/setup', [['Origin', 'null']], body), 'cross_origin');
});

test('ASVS 3.5.1: an Authorization header lets no other site use the session where the cookie decides', async () => {
  const fields: Fields = [
    ['Origin', 'https://evil.example'],
    ['Authorization', 'Basic eA=='],
  ];
  for (const path of ['/api/auth/update-user', '/api/auth/sign-out', '/api/auth/sign-in/email']) {
    assertProblem(await post(path, fields, { name: 'forged' }), 'cross_origin');
  }
});

test('ASVS 3.5.1: a key in the Authorization header is no ambient credential, and passes', async () => {
  const { apiKey } = await ada.makeKey({ name: 'program', scopes: ['keys:write'] });
  const fields: Fields = [['Origin', 'https://app.example']];
  const answer = await contract.call('POST', '/v1/api-keys', { key: apiKey, fields, body: { name: 'made' } });
  assert.equal(answer.status, 201);
});

test('ASVS 3.5.2: a preflight gets no CORS header, and the reason', async () => {
  for (const path of ['/v1/me', '/v1/api-keys', '/api/auth/sign-in/email', '/nothing']) {
    const answer = await exchange(`${server.url}${path}`, {
      method: 'OPTIONS',
      fields: [
        ['Origin', 'https://app.example'],
        ['Access-Control-Request-Method', 'GET'],
        ['Access-Control-Request-Headers', 'authorization'],
      ],
    });
    const { message } = assertProblem(answer, 'cross_origin');
    assert.match(message, /no CORS.*secret keys must never be in a browser.*your server/);
    for (const [name] of answer.headers) assert.doesNotMatch(name, /^access-control-/);
  }
});

test('ASVS 3.5.2: a body that a form can send without a preflight is not read', async () => {
  const types = ['text/plain', 'text/plain; charset=utf-8', 'application/x-www-form-urlencoded', 'text/html'];
  for (const type of [...types, 'multipart/form-data; boundary=x', 'application/json2', '']) {
    for (const { path, body } of changes) {
      const answer = await exchange(`${server.url}${path}`, {
        method: 'POST',
        fields: [
          ['Cookie', ada.cookie],
          ['Content-Type', type],
        ],
        body: JSON.stringify(body),
      });
      assertProblem(answer, 'unsupported_media_type');
    }
  }
});

test('ASVS 3.5.3: reading with GET or HEAD changes nothing', async () => {
  const calls = ['/v1/api-keys?name=forged', '/api/auth/sign-out', '/api/auth/sign-in/email', '/api/setup'];
  for (const path of calls) {
    for (const method of ['GET', 'HEAD']) {
      const answer = await exchange(`${server.url}${path}`, { method, fields: [['Cookie', ada.cookie]] });
      assert.ok([400, 404].includes(answer.status), `${method} ${path} is answered ${answer.status}`);
    }
  }
  assert.equal((await contract.call('GET', '/v1/api-keys', { as: ada })).status, 200);
});
