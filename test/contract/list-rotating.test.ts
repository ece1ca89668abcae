/** GET /v1/api-keys?rotating=true: keys with a rotation that has not ended. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createdKeySchema, keyListSchema, keySchema } from '@soku/contract/keys';
import { Contract } from '../support/contract.ts';
import { addAccount, openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const contract = await Contract.of(server);
const ada = await openSession(server, await addAccount(server));
const bob = await openSession(server, await addAccount(server));

async function rotating(query = ''): Promise<string[]> {
  const response = await contract.call('GET', `/v1/api-keys?rotating=true&sort=name${query}`, { as: ada });
  assert.equal(response.status, 200, response.text);
  return keyListSchema.parse(response.body).data.map(({ name }) => name);
}

async function rotate(id: string, body: object): Promise<string> {
  const response = await contract.call('POST', `/v1/api-keys/${id}/rotate`, { as: ada, body });
  assert.equal(response.status, 201, response.text);
  return createdKeySchema.parse(response.body).apiKey;
}

test('the list can be limited to keys with a rotation that has not ended', async () => {
  const [one, two, three, four] = await Promise.all(
    ['Rotating now', 'Rotating once used', 'Rotated at once', 'Not rotated'].map((name) =>
      ada.createKey({ name }),
    ),
  );
  assert.ok(one && two && three && four);
  await rotate(one.key.id, { graceSeconds: 3600 });
  await rotate(two.key.id, { graceSeconds: 3600, startGrace: 'firstUse' });
  await rotate(three.key.id, { graceSeconds: 0 });
  assert.deepEqual(await rotating(), ['Rotating now', 'Rotating once used']);
  assert.deepEqual(await rotating('&q=once'), ['Rotating once used']);
  assert.deepEqual(await rotating('&status=revoked'), []);

  const read = await contract.call('GET', `/v1/api-keys/${one.key.id}`, { as: ada });
  const [, older] = keySchema.parse(read.body).secrets;
  const retire = `/v1/api-keys/${one.key.id}/secrets/${older?.id}/retire`;
  assert.equal((await contract.call('POST', retire, { as: ada })).status, 200);
  assert.deepEqual(await rotating(), ['Rotating once used']);
});

test('the rotations of other workspaces are not listed, and a value other than true is rejected', async () => {
  const { key } = await ada.createKey({ name: 'Rotating in private' });
  await rotate(key.id, { graceSeconds: 3600 });
  const response = await contract.call('GET', '/v1/api-keys?rotating=true&status=all', { as: bob });
  assert.deepEqual(keyListSchema.parse(response.body).data, []);
  const wrong = await contract.call('GET', '/v1/api-keys?rotating=1', { as: ada });
  assert.equal(wrong.status, 400);
});
