/** Accounts and keys are created once, even when several nodes get the request at the same time. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sessionSchema } from '@soku/contract/accounts';
import { errorSchema } from '@soku/contract/errors';
import { createdKeySchema, keyListSchema, keySchema } from '@soku/contract/keys';
import { revokedKeySchema } from '@soku/contract/revocations';
import { z } from 'zod';
import { Deployment } from '../operations/nodes.ts';
import { assertProblem } from '../support/contract.ts';
import { bearer, call, cookiesOf, type HttpResponse, Person } from '../support/person.ts';
import { runCount } from '../support/run-count.ts';
import { testTimeoutMs } from '../support/test-timeout.ts';

const maxActiveKeys = 60;
const password = 'long enough to be one';

let deployment: Deployment;
before(async () => {
  deployment = await Deployment.startAtOnce(3, {
    SOKU_OWNER_EMAIL: undefined,
    SOKU_OWNER_PASSWORD: undefined,
    SOKU_MAX_ACTIVE_KEYS: String(maxActiveKeys),
  });
});
after(() => deployment.stop());

/** The URLs of the nodes, `times` times in turn. */
function urls(runCount: number): string[] {
  return Array.from({ length: runCount }, (_, i) => deployment.node(i % 3).url);
}

async function setupNeeded(): Promise<boolean[]> {
  const sessions = urls(3).map(async (url) =>
    sessionSchema.parse((await retryWhileBusy(() => call(`${url}/api/session`))).body),
  );
  return (await Promise.all(sessions)).map((session) => session.setupNeeded);
}

/** Retries while the response is 503 because the database is too busy; nothing was changed then. */
async function retryWhileBusy(request: () => Promise<HttpResponse>): Promise<HttpResponse> {
  const begun = performance.now();
  for (;;) {
    const response = await request();
    if (response.status !== 503) return response;
    assertProblem(response, 'verification_unavailable');
    assert.ok(performance.now() - begun < testTimeoutMs, `still ${response.text}`);
  }
}

const setUp = (url: string, code: string, email: string) =>
  call(`${url}/api/setup`, { method: 'POST', body: { code, name: 'Eve', email, password } });

/** Set by the first test, which creates the account. */
let cookie = '';
const at = (url: string) => new Person(url, cookie);

test('all nodes print and accept the same setup code, and one of three concurrent setups creates the account', async () => {
  const codes = await Promise.all(
    deployment.nodes.map(async ({ server }) => {
      await server.printed('/setup?code=');
      return /\/setup\?code=([\w-]+)/.exec(server.output)?.[1] ?? '';
    }),
  );
  const [code = ''] = codes;
  assert.deepEqual(codes, [code, code, code]);
  assert.deepEqual(await setupNeeded(), [true, true, true]);
  assertProblem(await setUp(deployment.node(0).url, `${code}0`, 'eve@example.com'), 'invalid_request');
  const first: { response?: HttpResponse; needed?: boolean[] } = {};
  const responses = await Promise.all(
    urls(3).map(async (url, i) => {
      const response = await setUp(url, code, `eve${i}@example.com`);
      // The change is visible immediately, also on nodes that still reject the same setup.
      if (response.status === 201) Object.assign(first, { response, needed: await setupNeeded() });
      return response;
    }),
  );
  assert.deepEqual(responses.map(({ status }) => status).toSorted(), [201, 400, 400]);
  assert.deepEqual(first.needed, [false, false, false]);
  for (const url of urls(3)) assertProblem(await setUp(url, code, 'more@example.com'), 'invalid_request');
  assert.equal((await deployment.query('SELECT id FROM "user"')).length, 1);
  assert.equal((await deployment.query('SELECT id FROM workspace')).length, 1);
  cookie = cookiesOf(first.response?.headers ?? new Headers());
  for (const url of urls(3)) assert.equal((await at(url).call('GET', '/v1/api-keys')).status, 200);
});

test('thirty concurrent calls with one Idempotency-Key create one key', async () => {
  const responses = await Promise.all(
    urls(30).map((url) =>
      at(url).call('POST', '/v1/api-keys', { name: 'once' }, { 'idempotency-key': 'deploy' }),
    ),
  );
  const created = responses.filter(({ status }) => status === 201);
  assert.equal(created.length, 1);
  const [key] = await list('once');
  for (const response of responses.filter((other) => other.status !== 201)) {
    const { details } = assertProblem(response, 'idempotency_replayed');
    assert.equal(details?.[0]?.keyId, key?.id);
  }
});

async function list(search: string) {
  const { body } = await at(deployment.node(0).url).call(
    'GET',
    `/v1/api-keys?status=all&limit=100&q=${search}`,
  );
  return keyListSchema.parse(body).data;
}

test('no child of a key is created on any node after its revoke returned', async () => {
  let children = 0;
  for (let round = 0; round < runCount(2, 5); round++) {
    const creator = await at(deployment.node(0).url).createKey({
      name: `creator ${round}`,
      scopes: ['keys:write'],
    });
    const create = async (url: string) =>
      call(`${url}/v1/api-keys`, {
        method: 'POST',
        headers: bearer(creator.apiKey),
        body: { name: `child ${round}` },
      });
    // Caches the creator on all nodes, so that none reads from the database whether it is active.
    for (const url of urls(3)) await call(`${url}/v1/me`, { headers: bearer(creator.apiKey) });
    const first = Promise.withResolvers<void>();
    const creating = Promise.all(
      urls(9).map(async (url) => {
        const response = await create(url);
        first.resolve();
        return response;
      }),
    );
    // In the middle of the others.
    await first.promise;
    await at(deployment.node(round % 3).url).revoke(creator.key.id);
    const before = (await list(`child ${round}`)).map(({ id }) => id);
    const late = await Promise.all(urls(3).map(create));
    for (const response of [...(await creating), ...late]) {
      if (response.status !== 201) assertProblem(response, 'revoked_key');
    }
    const all = await list(`child ${round}`);
    assert.deepEqual(
      all.map(({ id }) => id),
      before,
    );
    children += all.length;
    for (const child of all) await at(deployment.node(1).url).revoke(child.id);
  }
  assert.ok(children > 0, 'some keys were created before');
});

test('no descendant of a key is active on any node after its revoke with descendants returned', async () => {
  const scopes = ['keys:write'];
  let children = 0;
  for (let round = 0; round < runCount(2, 5); round++) {
    const root = await at(deployment.node(0).url).createKey({ name: `root ${round}`, scopes });
    let revokeReturned = false;
    const first = Promise.withResolvers<void>();
    const creating = Promise.all(
      urls(6).map(async (url) => {
        const created: string[] = [];
        for (let parent = root.apiKey; ; ) {
          const body = { name: 'descendant', scopes };
          const headers = bearer(parent);
          const late = revokeReturned;
          const response = await call(`${url}/v1/api-keys`, { method: 'POST', headers, body });
          if (response.status !== 201) {
            assertProblem(response, 'revoked_key');
            return created;
          }
          assert.ok(!late, 'a descendant stayed active and created a key');
          parent = createdKeySchema.parse(response.body).apiKey;
          created.push(parent);
          first.resolve();
        }
      }),
    );
    const path = `/v1/api-keys/${root.key.id}/revoke`;
    await first.promise;
    const response = await at(deployment.node(round % 3).url).call('POST', path, { descendants: true });
    revokeReturned = true;
    assert.equal(response.status, 200, response.text);
    const created = (await creating).flat();
    assert.equal(revokedKeySchema.parse(response.body).revocation.descendants, created.length);
    for (const apiKey of created) {
      for (const url of urls(3)) {
        assertProblem(await call(`${url}/v1/me`, { headers: bearer(apiKey) }), 'revoked_key');
      }
    }
    children += created.length;
  }
  assert.ok(children > 0, 'some keys were created before');
});

test('keys that change each other concurrently cause no deadlock', async () => {
  const scopes = ['keys:read', 'keys:write'];
  const person = at(deployment.node(0).url);
  const [a, b] = [
    await person.createKey({ name: 'a', scopes }),
    await person.createKey({ name: 'b', scopes }),
  ];
  const responses = await Promise.all(
    urls(30).map((url, i) => {
      const [caller, other] = i % 2 === 0 ? [a, b] : [b, a];
      return retryWhileBusy(() =>
        call(`${url}/v1/api-keys/${other.key.id}`, {
          method: 'PATCH',
          headers: bearer(caller.apiKey),
          body: { name: `changed ${i}` },
        }),
      );
    }),
  );
  for (const response of responses) assert.equal(response.status, 200, response.text);
  for (const { server } of deployment.nodes) assert.doesNotMatch(server.output, /deadlock/);
  assert.match(keySchema.parse(responses[0]?.body).name, /^changed/);
});

test('concurrent calls create only as many keys as the limit allows', async () => {
  const countActive = async () => {
    const [row] = await deployment.query(
      'SELECT count(*)::int AS active FROM api_key WHERE revoked_at IS NULL',
    );
    return z.object({ active: z.int() }).parse(row).active;
  };
  const remainingKeys = maxActiveKeys - (await countActive());
  assert.ok(remainingKeys > 5);
  const responses = await Promise.all(
    urls(remainingKeys + 20).map((url) =>
      retryWhileBusy(() => at(url).call('POST', '/v1/api-keys', { name: 'many' })),
    ),
  );
  assert.equal(await countActive(), maxActiveKeys);
  // On a busy machine, a call may get 503 although its key is created; its repetition is then rejected, too.
  const rejected = responses.filter(({ status }) => status !== 201);
  assert.ok(rejected.length >= 20, `${rejected.length} were rejected`);
  for (const { body } of rejected) assert.equal(errorSchema.parse(body).error.code, 'key_quota_reached');
});
