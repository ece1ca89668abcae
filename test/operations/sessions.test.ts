/** Several servers act as one, whichever of them gets a request. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { revokedKeySchema } from '@soku/contract/revocations';
import { eventually } from '../support/contract.ts';
import { bearer, call, Person } from '../support/person.ts';
import { owner } from '../support/server.ts';
import { Deployment } from './nodes.ts';

const deployment = await Deployment.startAtOnce(3);
after(() => deployment.stop());
const [a, b, c] = [deployment.node(0), deployment.node(1), deployment.node(2)];

/** The session of the owner, who signs in on the first server. */
let cookie = '';

test('servers that start concurrently on an empty database create the tables and the owner only once', async () => {
  const migrated = deployment.nodes.filter(({ server }) => server.output.includes('PostgreSQL: migrated'));
  assert.equal(migrated.length, 1);
  assert.deepEqual(await deployment.query('SELECT email FROM "user"'), [{ email: owner.email }]);
  for (const { url } of deployment.nodes) {
    await eventually(
      () => call(`${url}/readyz`),
      ({ status }) => status === 200,
    );
  }
  cookie = (await Person.signIn(a.url, owner)).cookie;
  for (const { url } of deployment.nodes)
    assert.equal((await new Person(url, cookie).call('GET', '/v1/api-keys')).status, 200);
});

test('a person who signed in on one server creates a key on the second and revokes it on the third', async () => {
  const revoked = async () => {
    const { apiKey, key } = await new Person(b.url, cookie).createKey({ name: 'everywhere' });
    const verify = () =>
      Promise.all(
        deployment.nodes.map(
          async ({ url }) => (await call(`${url}/v1/verify`, { headers: bearer(apiKey) })).status,
        ),
      );
    await eventually(verify, (statuses) => statuses.every((status) => status === 204));
    const response = await new Person(c.url, cookie).call('POST', `/v1/api-keys/${key.id}/revoke`);
    // A server that gets no CPU for longer than a lease verifies nothing until it has another.
    for (const status of await verify()) assert.ok(status === 401 || status === 503, String(status));
    await eventually(verify, (statuses) => statuses.every((status) => status === 401));
    return revokedKeySchema.parse(response.body).revocation.nodes;
  };
  // Without such a server, the first revoke has reached all three.
  await eventually(revoked, (reached) => reached === 3);
});

test('a sign-out on one server is effective on the others', async () => {
  const [ada, elsewhere] = [new Person(a.url, cookie), new Person(b.url, cookie)];
  assert.equal((await elsewhere.call('GET', '/v1/api-keys')).status, 200);
  assert.equal((await ada.call('POST', '/api/auth/sign-out', {})).status, 200);
  assert.equal((await elsewhere.call('GET', '/v1/api-keys')).status, 401);
});
