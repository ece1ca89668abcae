/** The report of keys whose expiration date is later than the maximum lifetime of the workspace allows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hygieneSchema } from '@soku/contract/hygiene';
import { Contract } from '../support/contract.ts';
import { inDays } from '../support/key-calls.ts';
import { addAccount, openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const contract = await Contract.of(server);

test('a date that the maximum lifetime no longer allows is listed until it is changed', async () => {
  const person = await openSession(server, await addAccount(server));
  /** The findings that concern the policy, with the number that the report counts. */
  const listed = async () => {
    const response = await contract.call('GET', '/v1/hygiene?kind=expires_too_late&include=counts', {
      as: person,
    });
    const { data, counts } = hygieneSchema.strict().parse(response.body);
    assert.equal(counts?.expires_too_late, data.length);
    return data.map(({ key, ...finding }) => ({ name: key.name, ...finding }));
  };
  const { key } = await person.createKey({ name: 'late', expiresAt: inDays(91) });
  await person.createKey({ name: 'within', expiresAt: inDays(89) });
  const disabled = await person.createKey({ name: 'disabled', expiresAt: inDays(1000) });
  await person.call('PATCH', `/v1/api-keys/${disabled.key.id}`, { disabled: true });
  assert.deepEqual(await listed(), []);
  assert.equal((await person.call('PATCH', '/v1/workspace', { maxKeyLifetimeDays: 90 })).status, 200);
  // It gets the latest date that is allowed.
  await person.createKey({ name: 'new' });
  assert.deepEqual(await listed(), [
    {
      name: 'late',
      kind: 'expires_too_late',
      since: key.createdAt,
      action: 'change_expiry',
      policy: 'maxKeyLifetimeDays',
    },
  ]);
  const change = (expiresAt: string) => person.call('PATCH', `/v1/api-keys/${key.id}`, { expiresAt });
  assert.equal((await change(inDays(91))).status, 400);
  assert.equal((await change(inDays(89))).status, 200);
  assert.deepEqual(await listed(), []);
});
