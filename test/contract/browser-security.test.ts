/** The requirements of OWASP ASVS 5.0 that concern browsers: cookies, headers, and pages of other sites. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { keyListSchema } from '@soku/contract/keys';
import { assertProblem, Contract } from '../support/contract.ts';
import { callWithFields, type Fields } from '../support/http.ts';
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

/** The parsed session cookie of a response. */
function cookieOf(response: HttpResponse): { name: string; value: string; attributes: string[] } {
  const cookies = response.headers
    .getSetCookie()
    .filter((cookie) => /^[^=]*soku_session_[0-9a-f]{8}=/.test(cookie));
  assert.equal(cookies.length, 1, cookies.join('\n'));
  const [pair = '', ...attributes] = (cookies[0] ?? '').split(/; */);
  const at = pair.indexOf('=');
  const lower = attributes.map((attribute) => attribute.toLowerCase()).sort();
  return { name: pair.slice(0, at), value: pair.slice(at + 1), attributes: lower };
}

const pages = ['/', '/login', '/settings/api', '/help/authentication', '/no-such-page'];
const allPaths = [...pages, '/v1/me', '/v1/nothing', '/openapi.json', '/healthz', '/api/session'];

const get = (url: string, path: string) =>
  callWithFields(`${url}${path}`, { fields: pages.includes(path) ? [['Accept', 'text/html']] : [] });

/** The header fields of every path, over http and over https. */
const responses = await Promise.all(
  allPaths.map(async (path) => ({
    path,
    plain: (await get(server.url, path)).headers,
    secure: (await get(secure.url, path)).headers,
  })),
);
/** The responses to a sign-in. */
const signedIn = {
  plain: await signIn(server.url),
  secure: await signIn(secure.url, { origin: publicUrl }),
};

/** Fails unless the header of every response matches. */
function assertHeader(name: string, pattern: RegExp): void {
  for (const { path, ...both } of responses)
    for (const headers of Object.values(both))
      assert.match(headers.get(name) ?? '', pattern, `${name} of ${path}`);
}

test('ASVS 3.3.1, 3.3.3: over https the session cookie is Secure and bound to the host', () => {
  const { name, attributes } = cookieOf(signedIn.secure);
  assert.match(name, /^__Host-soku_session_[0-9a-f]{8}$/);
  assert.deepEqual(attributes, ['httponly', 'max-age=1209600', 'path=/', 'samesite=lax', 'secure']);
});

test('ASVS 3.3.2, 3.3.4: over http too, the session cookie is HttpOnly and SameSite=Lax', () => {
  const { name, attributes } = cookieOf(signedIn.plain);
  assert.match(name, /^soku_session_[0-9a-f]{8}$/);
  assert.deepEqual(attributes, ['httponly', 'max-age=1209600', 'path=/', 'samesite=lax']);
});

test('ASVS 3.3.3: signing out deletes the cookie with the same attributes with which it was set', async () => {
  for (const [{ url }, response] of [
    [server, signedIn.plain],
    [secure, signedIn.secure],
  ] as const) {
    const set = cookieOf(response);
    const cookie = `${set.name}=${set.value}`;
    const signedOut = await call(`${url}/api/auth/sign-out`, {
      method: 'POST',
      headers: { cookie },
      body: {},
    });
    const cleared = cookieOf(signedOut);
    assert.equal(cleared.name, set.name);
    assert.equal(cleared.value, '');
    const unchanged = set.attributes.filter((attribute) => !attribute.startsWith('max-age'));
    assert.deepEqual(cleared.attributes, [...unchanged, 'max-age=0'].sort());
  }
});

test('ASVS 3.4.1: over https, HSTS is sent with a max-age of at least a year; over http it is not sent', () => {
  for (const { path, plain, secure } of responses) {
    const policy = secure.get('strict-transport-security') ?? '';
    assert.ok(Number(/^max-age=(\d+)/.exec(policy)?.[1]) >= 31_536_000, path);
    assert.equal(plain.get('strict-transport-security'), null);
  }
});

test('ASVS 3.4.2: no response allows another origin to read it', async () => {
  for (const path of allPaths) {
    for (const origin of ['https://evil.example', 'null']) {
      const response = await callWithFields(`${server.url}${path}`, { fields: [['Origin', origin]] });
      for (const [name] of response.headers) assert.doesNotMatch(name, /^access-control-/);
    }
  }
});

test('ASVS 3.4.3: the content security policy allows no inline code and nothing from other origins', () => {
  assertHeader('content-security-policy', /(^|;)default-src 'self'(;|$)/);
  assertHeader('content-security-policy', /(^|;)script-src 'self'(;|$)/);
  assertHeader('content-security-policy', /(^|;)object-src 'none'(;|$)/);
  assertHeader('content-security-policy', /(^|;)base-uri 'none'(;|$)/);
  assertHeader('content-security-policy', /(^|;)require-trusted-types-for 'script'(;|$)/);
  assertHeader('content-security-policy', /^(?!.*(unsafe|\*|https?:)).*$/);
});

test('ASVS 3.4.4: browsers must not guess a content type', async () => {
  assertHeader('x-content-type-options', /^nosniff$/);
  assert.equal((await get(server.url, '/%zz')).headers.get('x-content-type-options'), 'nosniff');
});

test('ASVS 3.4.5: no referrer is sent to other sites', () => {
  assertHeader('referrer-policy', /^no-referrer$/);
});

test('ASVS 3.4.6: no page can be framed', () => {
  assertHeader('content-security-policy', /(^|;)frame-ancestors 'none'(;|$)/);
  assertHeader('x-frame-options', /^DENY$/);
});

test('ASVS 3.4.8: pages are isolated from other origins, and no other origin can embed a response', () => {
  assertHeader('cross-origin-opener-policy', /^same-origin$/);
  assertHeader('cross-origin-resource-policy', /^same-origin$/);
});

/** State-changing calls, each with a body that would succeed. */
const changes = [
  { path: '/v1/api-keys', body: { name: 'forged' } },
  { path: '/api/auth/update-user', body: { name: 'forged' } },
  { path: '/api/auth/change-password', body: { currentPassword: 'x', newPassword: 'forged password' } },
  { path: '/api/auth/revoke-sessions', body: {} },
  { path: '/api/auth/sign-out', body: {} },
];

const post = (path: string, fields: Fields, body: unknown, url = server.url) =>
  callWithFields(`${url}${path}`, {
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

test('ASVS 3.5.1: a page of another site cannot change anything with a session of this site', async () => {
  for (const fields of foreign) {
    for (const { path, body } of changes) {
      const { message } = assertProblem(await post(path, fields, body), 'cross_origin');
      assert.match(message, /SOKU_PUBLIC_URL/);
    }
  }
  const page = await contract.call('GET', '/v1/api-keys?q=forged', { as: ada });
  assert.deepEqual(keyListSchema.parse(page.body).data, []);
});

test('ASVS 3.5.1: a page of this site, and a program other than a browser, may use a session', async () => {
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
    const response = await post('/v1/api-keys', fields, { name: 'from here' });
    assert.equal(response.status, 201, JSON.stringify(fields) + response.text);
  }
});

test('ASVS 3.5.1: with an https public URL, only that origin is accepted', async () => {
  assert.equal(signedIn.secure.status, 200);
  for (const origin of [secure.url, 'http://keys.example.com', 'https://example.com']) {
    assertProblem(await signIn(secure.url, { origin }), 'cross_origin');
  }
});

test('ASVS 3.5.1: a page of another site cannot sign anyone in', async () => {
  const response = await signIn(server.url, { origin: 'https://evil.example' });
  assertProblem(response, 'cross_origin');
  assert.deepEqual(response.headers.getSetCookie(), []);
  const body = { code: 'x', name: 'x', email: 'x@example.com', password: 'long enough' };
  assertProblem(await post('/api/setup', [['Origin', 'null']], body), 'cross_origin');
});

test('ASVS 3.5.1: an Authorization header does not bypass the origin check of routes that use the cookie', async () => {
  const fields: Fields = [
    ['Origin', 'https://evil.example'],
    ['Authorization', 'Basic eA=='],
  ];
  for (const path of ['/api/auth/update-user', '/api/auth/sign-out', '/api/auth/sign-in/email']) {
    assertProblem(await post(path, fields, { name: 'forged' }), 'cross_origin');
  }
});

test('ASVS 3.5.1: a request with a key passes from any origin, because a browser never adds the key itself', async () => {
  const { apiKey } = await ada.createKey({ name: 'program', scopes: ['keys:write'] });
  const fields: Fields = [['Origin', 'https://app.example']];
  const response = await contract.call('POST', '/v1/api-keys', {
    key: apiKey,
    fields,
    body: { name: 'created' },
  });
  assert.equal(response.status, 201);
});

test('ASVS 3.5.2: a preflight gets no CORS headers, and an error that explains why', async () => {
  for (const path of ['/v1/me', '/v1/api-keys', '/api/auth/sign-in/email', '/nothing']) {
    const response = await callWithFields(`${server.url}${path}`, {
      method: 'OPTIONS',
      fields: [
        ['Origin', 'https://app.example'],
        ['Access-Control-Request-Method', 'GET'],
        ['Access-Control-Request-Headers', 'authorization'],
      ],
    });
    const { message } = assertProblem(response, 'cross_origin');
    assert.match(message, /no CORS.*secret keys must never be in a browser.*your server/);
    for (const [name] of response.headers) assert.doesNotMatch(name, /^access-control-/);
  }
});

test('ASVS 3.5.2: a body with a content type that needs no preflight is rejected', async () => {
  const types = ['text/plain', 'text/plain; charset=utf-8', 'application/x-www-form-urlencoded', 'text/html'];
  for (const type of [...types, 'multipart/form-data; boundary=x', 'application/json2', '']) {
    for (const { path, body } of changes) {
      const response = await callWithFields(`${server.url}${path}`, {
        method: 'POST',
        fields: [
          ['Cookie', ada.cookie],
          ['Content-Type', type],
        ],
        body: JSON.stringify(body),
      });
      assertProblem(response, 'unsupported_media_type');
    }
  }
});

test('ASVS 3.5.3: GET and HEAD change nothing', async () => {
  const calls = ['/v1/api-keys?name=forged', '/api/auth/sign-out', '/api/auth/sign-in/email', '/api/setup'];
  for (const path of calls) {
    for (const method of ['GET', 'HEAD']) {
      const response = await callWithFields(`${server.url}${path}`, {
        method,
        fields: [['Cookie', ada.cookie]],
      });
      assert.ok([400, 404].includes(response.status), `${method} ${path} returns ${response.status}`);
    }
  }
  assert.equal((await contract.call('GET', '/v1/api-keys', { as: ada })).status, 200);
});
