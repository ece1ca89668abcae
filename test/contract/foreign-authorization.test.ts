/** A request with an Authorization header and a session: credentials of a proxy are ignored, keys are not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorCode } from '@soku/contract/error-codes';
import { generateKey } from '@soku/key';
import { assertProblem, Contract } from '../support/contract.ts';
import type { Fields } from '../support/http.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const contract = await Contract.of(server);

/** The header values that Basic auth and SSO proxies in front of the dashboard send. */
const foreign = [
  `Basic ${Buffer.from('admin:secret').toString('base64')}`,
  'Bearer eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl',
];

test('credentials of a proxy in front of the dashboard do not prevent the use of a session', async () => {
  const person = await openSession(server);
  const send = (method: string, path: string, fields: Fields, body?: object) =>
    contract.call(method, path, { as: person, fields, ...(body && { body }) });
  for (const value of foreign) {
    const fields: Fields = [['Authorization', value]];
    assert.equal((await send('GET', '/v1/api-keys', fields)).status, 200);
    assert.equal((await send('GET', '/v1/workspace', fields)).status, 200);
    const created = await send('POST', '/v1/api-keys', fields, { name: 'behind a proxy' });
    assert.equal(created.status, 201, created.text);
    const otherOrigin: Fields = [...fields, ['Origin', 'https://evil.example']];
    assertProblem(await send('POST', '/v1/api-keys', otherOrigin, { name: 'forged' }), 'cross_origin');
    for (const path of ['/v1/me', '/v1/verify']) {
      assert.equal((await send('GET', path, fields)).status, 401, `${path} accepts only keys`);
    }
  }
  const two: Fields = foreign.map((value) => ['Authorization', value]);
  assert.equal((await send('GET', '/v1/api-keys', two)).status, 200);
});

test('a header that looks like a key takes precedence over a session', async () => {
  const person = await openSession(server);
  const key = generateKey();
  const basic = `Basic ${Buffer.from(`${key}:`).toString('base64')}`;
  const cases: [code: ErrorCode, fields: Fields][] = [
    ['unknown_key', [['Authorization', `Bearer ${key}`]]],
    ['missing_bearer', [['Authorization', key]]],
    ['malformed_key', [['Authorization', `Bearer ${key.slice(0, 20)}`]]],
    ['missing_prefix', [['Authorization', `Bearer ${key.slice(8)}`]]],
    ['key_preview', [['Authorization', `Bearer ${key.slice(0, 11)}...${key.slice(-3)}`]]],
    ['unsupported_scheme', [['Authorization', basic]]],
    [
      'malformed_authorization',
      [
        ['Authorization', foreign[0] ?? ''],
        ['Authorization', `Bearer ${key}`],
      ],
    ],
  ];
  for (const [code, fields] of cases) {
    assertProblem(await contract.call('GET', '/v1/api-keys', { as: person, fields }), code);
  }
});
