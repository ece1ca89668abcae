/** Reports of leaked keys, as GitHub sends them, signed with a key pair of the test. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { auditPageSchema } from '@soku/contract/audit';
import { createdKeySchema, keySchema } from '@soku/contract/keys';
import { githubFeedbackSchema } from '@soku/contract/leaks';
import { generateKey } from '@soku/key';
import { assertProblem, Contract } from '../support/contract.ts';
import { newSigner, startKeyList } from '../support/github.ts';
import type { Fields } from '../support/http.ts';
import type { HttpResponse } from '../support/person.ts';
import { runSql, whileTableFails } from '../support/run-sql.ts';
import { startServer } from '../support/server.ts';
import { addAccount, openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const github = newSigner();
const { list, url, stop } = await startKeyList([github]);
after(stop);
/** Before the server fetches the public keys. */
const begun = performance.now();
const server = await startServer({
  env: { SOKU_GITHUB_KEYS_URL: url, TRUST_PROXY: '127.0.0.1', SOKU_ADDRESS_RATE_LIMIT: '3' },
});
after(() => server.stop());
const contract = await Contract.of(server);
const ada = await openSession(server);
const other = await openSession(server, await addAccount(server));

const path = '/v1/leaks/github';
const place =
  'https://github.com/octocat/Hello-World/blob/12345600b9cbe38a219f39a9941c9319b600c002/foo/bar.txt';
const bodyOf = (...tokens: string[]) =>
  JSON.stringify(tokens.map((token) => ({ token, type: 'acme_api_key', url: place, source: 'content' })));

let addresses = 0;
/** An address that no other test uses. */
function newAddress(): string {
  addresses += 1;
  return `198.51.100.${addresses}`;
}

const send = (body: string, fields: Fields = github.sign(body), address = newAddress()) =>
  contract.call('POST', path, { body, fields: [...fields, ['X-Forwarded-For', address]] });

async function report(...tokens: string[]) {
  const response = await send(bodyOf(...tokens));
  assert.equal(response.status, 200, response.text);
  return githubFeedbackSchema.parse(response.body);
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const me = (key: string) => contract.call('GET', '/v1/me', { key });

async function events(id: string, person = ada) {
  const { body } = await contract.call('GET', `/v1/audit?targetId=${id}&limit=10`, { as: person });
  return auditPageSchema.parse(body).data.filter(({ action }) => action !== 'key.created');
}

async function revokeLeakedKeys(on: boolean, person = ada): Promise<void> {
  const response = await contract.call('PATCH', '/v1/workspace', {
    as: person,
    body: { revokeLeakedKeys: on },
  });
  assert.equal(response.status, 200, response.text);
}

test('a report is recorded once a day per secret, and revokes nothing by default', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'leaked' });
  const foreign = generateKey();
  const expected = [apiKey, foreign].map((token, i) => ({
    token_hash: sha256(token),
    token_type: 'acme_api_key',
    label: i === 0 ? 'true_positive' : 'false_positive',
  }));
  assert.deepEqual(await report(apiKey, foreign), expected);
  const again = await Promise.all([1, 2, 3].map(() => report(apiKey, foreign, apiKey)));
  for (const feedback of again) assert.deepEqual(feedback, [...expected, expected[0]]);
  const [event, ...others] = await events(key.id);
  assert.ok(event && others.length === 0);
  assert.equal(event.action, 'key.leak_reported');
  assert.deepEqual([event.actor.kind, event.target.name], ['system', 'leaked']);
  assert.match(event.actor.address ?? '', /^198\.51\.100\./);
  assert.deepEqual(event.details, { url: place, source: 'content', places: 1, secretId: key.secrets[0]?.id });
  assert.equal((await me(apiKey)).status, 200);
  // On another day there is another event.
  await runSql(server, 'DELETE FROM audit_event WHERE id = ? RETURNING 1', event.id);
  await report(apiKey, apiKey);
  assert.equal((await events(key.id))[0]?.details?.places, 2);
});

test('each secret of a rotated key is recorded, whichever was reported first', async () => {
  for (const order of ['older first', 'newest first', 'together'] as const) {
    const { apiKey: older, key } = await ada.createKey({ name: order });
    const rotated = await ada.call('POST', `/v1/api-keys/${key.id}/rotate`, { graceSeconds: 3600 });
    const { apiKey: newest, key: after } = createdKeySchema.parse(rotated.body);
    const secrets = order === 'newest first' ? [newest, older] : [older, newest];
    if (order === 'together') await report(...secrets);
    else for (const secret of secrets) await report(secret);
    await report(...secrets);
    const reported = (await events(key.id)).filter(({ action }) => action === 'key.leak_reported');
    assert.deepEqual(
      reported.map(({ details }) => details?.secretId).toSorted(),
      after.secrets.map(({ id }) => id).toSorted(),
      order,
    );
  }
});

test('by policy, the key is revoked when the call returns, only in that workspace', async () => {
  const [mine, theirs] = [await ada.createKey({ name: 'mine' }), await other.createKey({ name: 'theirs' })];
  for (const { apiKey } of [mine, theirs]) assert.equal((await me(apiKey)).status, 200);
  await revokeLeakedKeys(true);
  try {
    await report(mine.apiKey, theirs.apiKey);
    assertProblem(await me(mine.apiKey), 'revoked_key');
    assert.equal((await me(theirs.apiKey)).status, 200);
    // A repeated report returns the same, and so does one of a revoked key.
    assert.equal((await report(mine.apiKey))[0]?.label, 'true_positive');
  } finally {
    await revokeLeakedKeys(false);
  }
  const { body } = await contract.call('GET', `/v1/api-keys/${mine.key.id}`, { as: ada });
  const { status, revokedReason } = keySchema.parse(body);
  assert.deepEqual([status, revokedReason], ['revoked', 'leaked']);
  assert.deepEqual((await events(mine.key.id)).map(({ action, actor }) => [action, actor.kind]).sort(), [
    ['key.leak_reported', 'system'],
    ['key.revoked', 'system'],
  ]);
  assert.deepEqual(
    (await events(theirs.key.id, other)).map(({ action }) => action),
    ['key.leak_reported'],
  );
});

test('a key whose command fails does not stop the others, and a repeated report completes it', async () => {
  const keys: Awaited<ReturnType<typeof ada.createKey>>[] = [];
  for (let i = 0; i < 9; i++)
    keys.push(await ada.createKey({ name: 'fine' }), await ada.createKey({ name: 'failing' }));
  const tokens = keys.map(({ apiKey }) => apiKey);
  const reported = async () => {
    const found = await Promise.all(keys.map(({ key }) => events(key.id)));
    return keys.flatMap(({ key }, i) => (found[i]?.length === 1 ? [key.name] : []));
  };
  const failure = { table: 'audit_event', message: 'x', what: 'INSERT' as const };
  await whileTableFails(server, { ...failure, row: "NEW.target_name = 'failing'" }, async () => {
    assert.ok((await send(bodyOf(...tokens))).status >= 500);
  });
  assert.deepEqual(await reported(), Array(9).fill('fine'));
  await report(...tokens);
  assert.equal((await reported()).length, 18);
});

test('by policy, an older secret of a rotated key is retired alone', async () => {
  const { apiKey: older, key } = await ada.createKey({ name: 'rotated' });
  const rotated = await ada.call('POST', `/v1/api-keys/${key.id}/rotate`, { graceSeconds: 3600 });
  const { apiKey: newest } = createdKeySchema.parse(rotated.body);
  await revokeLeakedKeys(true);
  try {
    await report(older);
  } finally {
    await revokeLeakedKeys(false);
  }
  assertProblem(await me(older), 'revoked_key');
  assert.equal((await me(newest)).status, 200);
});

/** Fails unless a report was rejected for a header field. */
function assertRejected(response: HttpResponse, path: string): void {
  const { details } = assertProblem(response, 'invalid_request');
  assert.deepEqual(
    details?.map((detail) => detail.path),
    [path],
  );
}

test('what GitHub has not signed is rejected, and has no effect', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'not leaked' });
  const body = bodyOf(apiKey);
  const [[idField, id], [signatureField]] = [
    ['Github-Public-Key-Identifier', github.id],
    ['Github-Public-Key-Signature'],
  ] as const;
  const signed = github.sign(body);
  const [, [, signature] = ['', '']] = signed;
  for (const wrong of [
    '',
    'x',
    signature.slice(4),
    signature.replace(/^..../, 'AAAA'),
    randomBytes(72).toString('base64'),
  ]) {
    assertRejected(
      await send(body, [
        [idField, id],
        [signatureField, wrong],
      ]),
      signatureField,
    );
  }
  // The same JSON in other bytes.
  assertRejected(await send(`${body} `, signed), signatureField);
  // GitHub may have added this key since the last fetch, which was less than five minutes ago.
  const unknown = await send(body, newSigner().sign(body));
  assertProblem(unknown, 'signing_keys_unavailable');
  const wait = Number(unknown.headers.get('retry-after'));
  const elapsed = (performance.now() - begun) / 1000;
  assert.ok(wait >= 300 - elapsed && wait <= 300, `${wait} s`);
  assertRejected(await send(body, []), idField);
  assertRejected(await send(body, [...signed, ...signed]), idField);
  assert.deepEqual(await events(key.id), []);
  assert.equal(list.fetches, 1, 'unknown IDs cause one fetch in five minutes');
});

test('a flood of invalid reports is limited per address, and a valid one still passes', async () => {
  const address = newAddress();
  const body = bodyOf(generateKey());
  const [id] = github.sign(body);
  const wrong: Fields = [...(id ? [id] : []), ['Github-Public-Key-Signature', 'x']];
  const floods = await Promise.all(
    Array.from({ length: 100 }, (_, i) => send(body, i % 2 === 0 ? wrong : newSigner().sign(body), address)),
  );
  const statuses = floods.map(({ status }) => status);
  assert.ok(statuses.filter((status) => status !== 429).length <= 6, 'two windows of three');
  assert.ok(statuses.every((status) => [400, 429, 503].includes(status)));
  assert.equal((await send(body, github.sign(body), address)).status, 200);
  assert.equal(list.fetches, 1);
});

test('a signed body that is not a report is rejected, and the error does not repeat it', async () => {
  const secret = generateKey();
  for (const body of [
    `[{"token": "${secret}"`,
    '{}',
    `[{"token": 1, "type": "${secret}"}]`,
    `"${secret}"`,
    'null',
    '',
  ]) {
    const response = await send(body);
    assertProblem(response, 'invalid_request');
    assert.ok(!response.text.includes(secret));
  }
  assert.deepEqual(githubFeedbackSchema.parse((await send('[]')).body), []);
  const large = bodyOf(...Array.from({ length: 3000 }, () => randomBytes(20).toString('hex')));
  assert.equal((await send(large)).status, 200);
  assertProblem(await send(`[${' '.repeat(1_000_000)}]`), 'payload_too_large');
  assert.ok(!server.output.includes(secret));
});

test('without the URL of the public keys, the endpoint does not exist', async () => {
  const body = bodyOf(generateKey());
  const shared = await Contract.of(await sharedServer());
  assertProblem(await shared.call('POST', path, { body, fields: github.sign(body) }), 'not_found');
});
