/** What belongs to another workspace does not exist (ASVS 5.0 8.2.1, 8.2.2, 8.3.1, 8.4.1). */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { browserSessionSchema } from '@soku/contract/accounts';
import { createdKeySchema, keyListSchema } from '@soku/contract/keys';
import { meSchema } from '@soku/contract/verification';
import { z } from 'zod';
import { assertProblem, Contract } from '../support/contract.ts';
import type { Fields } from '../support/http.ts';
import type { HttpResponse } from '../support/person.ts';
import { openSession } from '../support/session.ts';
import { ada as adasAccount, bob as bobsAccount, startWithTwoAccounts } from '../support/two-accounts.ts';

const { server, stop } = await startWithTwoAccounts();
after(stop);
const contract = await Contract.of(server);
const [ada, bob] = [await openSession(server, adasAccount), await openSession(server, bobsAccount)];
const scopes = ['keys:read', 'keys:write'];
const adas = await ada.makeKey({ name: "ada's", scopes });
const bobs = await bob.makeKey({ name: "bob's", scopes });
const unknownId = `key_${'0'.repeat(26)}`;
const workspaceOf = async (key: string) =>
  meSchema.parse((await contract.call('GET', '/v1/me', { key })).body).workspace.id;
const [adasWorkspace, bobsWorkspace] = [await workspaceOf(adas.apiKey), await workspaceOf(bobs.apiKey)];

/** Everything that Bob could call with, wrong or right. */
const callers = [
  { who: 'a session', as: bob },
  { who: 'a key', key: bobs.apiKey },
];

/** The bytes of an answer, without what differs from call to call. */
function withoutChance(answer: HttpResponse): unknown {
  const headers = [...answer.headers].filter(([name]) => !['date', 'x-request-id'].includes(name));
  const text = answer.text
    .replace(/"timestamp":"[^"]+"/, '"timestamp":""')
    .replace(/"requestId":"[^"]+"/, '"requestId":""');
  return { status: answer.status, headers, text };
}

for (const { who, ...caller } of callers) {
  test(`ASVS 8.2.2: to ${who} of another workspace, a key is the same as none`, async () => {
    const calls = [
      ['GET', '', undefined],
      ['PATCH', '', { name: 'stolen' }],
      ['GET', '/usage', undefined],
      ['POST', '/revoke', undefined],
    ] as const;
    const asAda = () => contract.call('GET', `/v1/api-keys/${adas.key.id}`, { as: ada });
    const before = await asAda();
    for (const [method, rest, body] of calls) {
      const ask = (id: string) =>
        contract.call(method, `/v1/api-keys/${id}${rest}`, { ...caller, ...(body && { body }) });
      const [theirs, none] = [await ask(adas.key.id), await ask(unknownId)];
      assertProblem(theirs, 'not_found');
      assert.deepEqual(withoutChance(theirs), withoutChance(none), `${method} ${rest}`);
    }
    assert.deepEqual((await asAda()).body, before.body);
  });

  test(`ASVS 8.2.2: the list of ${who} has the keys of its own workspace, and counts only them`, async () => {
    for (const query of ['', '&q=ada', `&cursor=${adas.key.id}`, `&cursor=key_${'z'.repeat(26)}`]) {
      const path = `/v1/api-keys?status=all&include=counts${query}`;
      const page = keyListSchema.parse((await contract.call('GET', path, caller)).body);
      assert.ok(
        page.data.every((key) => key.createdBy === bobs.key.createdBy || key.createdBy === bobs.key.id),
      );
      assert.ok(!page.data.some((key) => key.id === adas.key.id));
      if (query === '&q=ada') assert.equal(page.counts?.all, 0);
    }
  });

  test(`ASVS 8.4.1: ${who} cannot choose the workspace of somebody else`, async () => {
    const calls = [
      ['GET', '/v1/api-keys', undefined],
      ['GET', `/v1/api-keys/${adas.key.id}`, undefined],
      ['POST', '/v1/api-keys', { name: 'intruder' }],
      ['PATCH', `/v1/api-keys/${adas.key.id}`, { name: 'stolen' }],
      ['POST', `/v1/api-keys/${adas.key.id}/revoke`, undefined],
    ] as const;
    for (const [method, path, body] of calls) {
      const ask = (workspace: string) => {
        const fields: Fields = [['X-Soku-Workspace', workspace]];
        return contract.call(method, path, { ...caller, fields, ...(body && { body }) });
      };
      const [theirs, none] = [await ask(adasWorkspace), await ask(`ws_${'0'.repeat(26)}`)];
      assertProblem(theirs, 'not_found');
      assert.deepEqual(withoutChance(theirs), withoutChance(none));
      assertProblem(await ask(`${bobsWorkspace}, ${adasWorkspace}`), 'not_found');
    }
    const page = keyListSchema.parse(
      (await contract.call('GET', '/v1/api-keys?q=intruder', { as: ada })).body,
    );
    assert.deepEqual(page.data, []);
  });

  test(`${who} may name its own workspace`, async () => {
    const fields: Fields = [['X-Soku-Workspace', bobsWorkspace]];
    const answer = await contract.call('GET', '/v1/api-keys', { ...caller, fields });
    assert.ok(keyListSchema.parse(answer.body).data.some((key) => key.id === bobs.key.id));
  });
}

test('ASVS 8.2.1: a key that a key made belongs to the workspace of its maker', async () => {
  const made = await contract.call('POST', '/v1/api-keys', { key: bobs.apiKey, body: { name: 'child' } });
  const child = createdKeySchema.parse(made.body);
  assert.equal(await workspaceOf(child.apiKey), bobsWorkspace);
  assertProblem(await contract.call('GET', `/v1/api-keys/${child.key.id}`, { as: ada }), 'not_found');
});

test('ASVS 8.2.2: the sessions of another account are neither listed nor ended', async () => {
  const sessions = async (person: typeof ada) => {
    const answer = await person.call('GET', '/api/auth/list-sessions');
    return z.array(browserSessionSchema).parse(answer.body);
  };
  const [adasSession] = await sessions(ada);
  assert.ok(adasSession !== undefined);
  assert.ok((await sessions(bob)).every(({ id }) => id !== adasSession.id));
  const ended = await bob.call('POST', '/api/auth/revoke-session', { id: adasSession.id });
  assert.deepEqual(
    ended.body,
    { status: true },
    'the response does not tell whether there is such a session',
  );
  assert.equal((await bob.call('POST', '/api/auth/revoke-other-sessions')).status, 200);
  assert.deepEqual(await sessions(ada), [adasSession]);
});

test('ASVS 8.3.1: nothing that a client sends beside its credentials makes it somebody else', async () => {
  const fields: Fields = [
    ['X-Soku-Key-Id', adas.key.id],
    ['X-Soku-Workspace-Id', adasWorkspace],
    ['X-User-Id', adas.key.createdBy],
    ['X-Original-URL', `/v1/api-keys/${adas.key.id}`],
    ['X-HTTP-Method-Override', 'DELETE'],
  ];
  const answer = await contract.call('GET', '/v1/me', { key: bobs.apiKey, fields });
  assert.equal(meSchema.parse(answer.body).key.id, bobs.key.id);
  assertProblem(await contract.call('GET', `/v1/api-keys/${adas.key.id}`, { as: bob, fields }), 'not_found');
});

test('the header of a workspace is bounded', async () => {
  const fields: Fields = [['X-Soku-Workspace', 'x'.repeat(5000)]];
  assertProblem(await contract.call('GET', '/v1/api-keys', { as: bob, fields }), 'not_found');
});
