/** Keys and settings of another workspace are not found (ASVS 5.0 8.2.1, 8.2.2, 8.3.1, 8.4.1). */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { browserSessionSchema } from '@soku/contract/accounts';
import { auditPageSchema } from '@soku/contract/audit';
import { createdKeySchema, keyListSchema } from '@soku/contract/keys';
import { meSchema } from '@soku/contract/verification';
import { z } from 'zod';
import { assertProblem, Contract } from '../support/contract.ts';
import type { Fields } from '../support/http.ts';
import type { HttpResponse } from '../support/person.ts';
import { addAccount, openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const contract = await Contract.of(server);
const ada = await openSession(server, await addAccount(server));
const bob = await openSession(server, await addAccount(server));
const scopes = ['keys:read', 'keys:write', 'audit:read'];
const adas = await ada.createKey({ name: "ada's", scopes });
const bobs = await bob.createKey({ name: "bob's", scopes });
const unknownId = `key_${'0'.repeat(26)}`;
const workspaceOf = async (key: string) =>
  meSchema.parse((await contract.call('GET', '/v1/me', { key })).body).workspace.id;
const [adasWorkspace, bobsWorkspace] = [await workspaceOf(adas.apiKey), await workspaceOf(bobs.apiKey)];

/** The credentials that Bob can use. */
const callers = [
  { who: 'a session', as: bob },
  { who: 'a key', key: bobs.apiKey },
];

/** A response without what differs from call to call. */
function withoutVariableParts(response: HttpResponse): unknown {
  const headers = [...response.headers].filter(([name]) => !['date', 'x-request-id'].includes(name));
  const text = response.text
    .replace(/"timestamp":"[^"]+"/, '"timestamp":""')
    .replace(/"requestId":"[^"]+"/, '"requestId":""');
  return { status: response.status, headers, text };
}

for (const { who, ...caller } of callers) {
  test(`ASVS 8.2.2: ${who} of another workspace gets the same response for a key as for an unknown id`, async () => {
    const calls = [
      ['GET', '', undefined],
      ['PATCH', '', { name: 'stolen' }],
      ['GET', '/usage', undefined],
      ['GET', '/usage/history', undefined],
      ['GET', '/usage.csv', undefined],
      ['POST', '/revoke', undefined],
      ['POST', '/rotate', {}],
      ['POST', `/secrets/${adas.key.secrets[0]?.id}/retire`, undefined],
    ] as const;
    const asAda = () => contract.call('GET', `/v1/api-keys/${adas.key.id}`, { as: ada });
    const before = await asAda();
    for (const [method, rest, body] of calls) {
      const request = (id: string) =>
        contract.call(method, `/v1/api-keys/${id}${rest}`, { ...caller, ...(body && { body }) });
      const [theirs, none] = [await request(adas.key.id), await request(unknownId)];
      assertProblem(theirs, 'not_found');
      assert.deepEqual(withoutVariableParts(theirs), withoutVariableParts(none), `${method} ${rest}`);
    }
    assert.deepEqual((await asAda()).body, before.body);
  });

  test(`ASVS 8.2.2: the list for ${who} contains and counts only the keys of its own workspace`, async () => {
    const hash = createHash('sha256').update(adas.apiKey).digest('hex');
    for (const query of ['', '&q=ada', `&hash=${hash}`, `&createdBy=${adas.key.createdBy}`, '&sort=name']) {
      const path = `/v1/api-keys?status=all&include=counts${query}`;
      const page = keyListSchema.parse((await contract.call('GET', path, caller)).body);
      assert.ok(
        page.data.every((key) => key.createdBy === bobs.key.createdBy || key.createdBy === bobs.key.id),
      );
      assert.ok(!page.data.some((key) => key.id === adas.key.id));
      if (query !== '' && query !== '&sort=name') assert.equal(page.counts?.all, 0);
    }
  });

  test(`ASVS 8.2.2: ${who} of another workspace finds no events of a key`, async () => {
    const path = `/v1/audit?keyId=${adas.key.id}`;
    const eventsFor = async (reader: typeof caller) =>
      auditPageSchema.parse((await contract.call('GET', path, reader)).body).data;
    assert.deepEqual(await eventsFor(caller), []);
    assert.ok((await eventsFor({ as: ada })).some(({ target }) => target.id === adas.key.id));
  });

  test(`ASVS 8.4.1: ${who} cannot select a workspace of another account`, async () => {
    const calls = [
      ['GET', '/v1/api-keys', undefined],
      ['GET', `/v1/api-keys/${adas.key.id}`, undefined],
      ['POST', '/v1/api-keys', { name: 'intruder' }],
      ['PATCH', `/v1/api-keys/${adas.key.id}`, { name: 'stolen' }],
      ['POST', `/v1/api-keys/${adas.key.id}/revoke`, undefined],
      ['GET', '/v1/scopes', undefined],
      ['PUT', '/v1/scopes', { scopes: [{ name: 'stolen' }] }],
    ] as const;
    for (const [method, path, body] of calls) {
      const request = (workspace: string) => {
        const fields: Fields = [['X-Soku-Workspace', workspace]];
        return contract.call(method, path, { ...caller, fields, ...(body && { body }) });
      };
      const [theirs, none] = [await request(adasWorkspace), await request(`ws_${'0'.repeat(26)}`)];
      assertProblem(theirs, 'not_found');
      assert.deepEqual(withoutVariableParts(theirs), withoutVariableParts(none));
      assertProblem(await request(`${bobsWorkspace}, ${adasWorkspace}`), 'not_found');
    }
    const page = keyListSchema.parse(
      (await contract.call('GET', '/v1/api-keys?q=intruder', { as: ada })).body,
    );
    assert.deepEqual(page.data, []);
  });

  test(`${who} may select its own workspace`, async () => {
    const fields: Fields = [['X-Soku-Workspace', bobsWorkspace]];
    const response = await contract.call('GET', '/v1/api-keys', { ...caller, fields });
    assert.ok(keyListSchema.parse(response.body).data.some((key) => key.id === bobs.key.id));
  });
}

test('ASVS 8.2.1: a key created by another key belongs to the workspace of its creator', async () => {
  const created = await contract.call('POST', '/v1/api-keys', { key: bobs.apiKey, body: { name: 'child' } });
  const child = createdKeySchema.parse(created.body);
  assert.equal(await workspaceOf(child.apiKey), bobsWorkspace);
  assertProblem(await contract.call('GET', `/v1/api-keys/${child.key.id}`, { as: ada }), 'not_found');
});

test('ASVS 8.2.2: the sessions of another account are neither listed nor ended', async () => {
  const sessions = async (person: typeof ada) => {
    const response = await person.call('GET', '/api/auth/list-sessions');
    return z.array(browserSessionSchema).parse(response.body);
  };
  const [adasSession] = await sessions(ada);
  assert.ok(adasSession !== undefined);
  assert.ok((await sessions(bob)).every(({ id }) => id !== adasSession.id));
  const ended = await bob.call('POST', '/api/auth/revoke-session', { id: adasSession.id });
  assert.deepEqual(ended.body, { status: true }, 'the response does not reveal whether the session exists');
  assert.equal((await bob.call('POST', '/api/auth/revoke-other-sessions')).status, 200);
  assert.deepEqual(await sessions(ada), [adasSession]);
});

test('ASVS 8.3.1: only credentials determine the identity of a caller, not other headers', async () => {
  const fields: Fields = [
    ['X-Soku-Key-Id', adas.key.id],
    ['X-Soku-Workspace-Id', adasWorkspace],
    ['X-User-Id', adas.key.createdBy],
    ['X-Original-URL', `/v1/api-keys/${adas.key.id}`],
    ['X-HTTP-Method-Override', 'DELETE'],
  ];
  const response = await contract.call('GET', '/v1/me', { key: bobs.apiKey, fields });
  assert.equal(meSchema.parse(response.body).key.id, bobs.key.id);
  assertProblem(await contract.call('GET', `/v1/api-keys/${adas.key.id}`, { as: bob, fields }), 'not_found');
});

test('an overlong workspace header is not found', async () => {
  const fields: Fields = [['X-Soku-Workspace', 'x'.repeat(5000)]];
  assertProblem(await contract.call('GET', '/v1/api-keys', { as: bob, fields }), 'not_found');
});
