/** A grace that starts with the first use of the new secret. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { CreatedKey, Key } from '@soku/contract/keys';
import { assertProblem, eventually } from '../support/contract.ts';
import { bearer, call } from '../support/person.ts';
import { Rotations } from '../support/rotation.ts';
import { whileTableFails } from '../support/run-sql.ts';
import { startServer } from '../support/server.ts';

const initial = await startServer();
let server = initial;
after(async () => {
  await server.kill();
  // Also removes the data, which the servers share.
  await initial.stop();
});
let rotations = await Rotations.on(server);

const rotate = (id: string, graceSeconds = 3600) =>
  rotations.rotate(id, { graceSeconds, startGrace: 'firstUse' });

/** Epoch ms; NaN: none. */
function endOf({ secrets }: Key, { key }: CreatedKey): number {
  const [secret] = key.secrets;
  return Date.parse(secrets.find(({ id }) => id === secret?.id)?.retiresAt ?? '');
}

/** Waits until a secret has an end. */
async function untilEnding(secret: CreatedKey): Promise<number> {
  const key = await eventually(
    () => rotations.show(secret.key.id),
    (shown) => !Number.isNaN(endOf(shown, secret)),
  );
  return endOf(key, secret);
}

/** The end of a secret after everything that was reported before has been written. */
async function endOfUnstarted(secret: CreatedKey): Promise<number> {
  // Another first use is written at the same time or later.
  const other = await rotations.create();
  const next = await rotate(other.key.id);
  await rotations.assertAccepted(next.apiKey);
  await untilEnding(other);
  return endOf(await rotations.show(secret.key.id), secret);
}

test('the grace starts with the first accepted request with the new secret', async () => {
  const first = await rotations.create();
  const second = await rotate(first.key.id);
  assert.deepEqual(
    second.key.secrets.map(({ retiresAt, graceSeconds }) => [retiresAt, graceSeconds]),
    [
      [null, null],
      [null, 3600],
    ],
  );
  await rotations.assertAccepted(first.apiKey);
  assert.ok(Number.isNaN(await endOfUnstarted(first)), 'a use of the older secret does not start it');
  const from = Date.now();
  await rotations.assertAccepted(second.apiKey, first.apiKey);
  const until = Date.now();
  const end = await untilEnding(first);
  assert.ok(end >= from + 3_600_000 && end <= until + 3_600_000, 'counted from the use, not from the write');
  const { secrets } = await rotations.show(first.key.id);
  assert.deepEqual(
    secrets.map(({ graceSeconds }) => graceSeconds),
    [null, null],
  );
  await rotations.assertAccepted(second.apiKey, first.apiKey);
  assert.equal(await endOfUnstarted(first), end, 'a later use changes nothing');
});

test('GET /v1/me and rejected requests with the new secret do not start the grace', async () => {
  const first = await rotations.create({ scopes: ['keys:read'] });
  const second = await rotate(first.key.id);
  for (let i = 0; i < 2; i++) {
    assert.equal((await rotations.contract.call('GET', '/v1/me', { key: second.apiKey })).status, 200);
  }
  const path = `/v1/api-keys/${first.key.id}/rotate`;
  assertProblem(
    await rotations.contract.call('POST', path, { key: second.apiKey, body: {} }),
    'insufficient_scope',
  );
  assert.ok(Number.isNaN(await endOfUnstarted(first)));
  const list = await rotations.contract.call('GET', '/v1/api-keys', { key: second.apiKey });
  assert.equal(list.status, 200);
  await untilEnding(first);
});

test('an older secret that is used all the time is rejected from its end on', async () => {
  const first = await rotations.create();
  const second = await rotate(first.key.id, 1);
  await rotations.assertAccepted(first.apiKey, second.apiKey);
  const end = await untilEnding(first);
  const last = await eventually(
    async () => ({ sentAt: Date.now(), response: await rotations.verify(first.apiKey) }),
    ({ sentAt, response }) => sentAt >= end || response.status !== 204,
  );
  assertProblem(last.response, 'revoked_key');
});

test('POST /v1/verify also starts the grace', async () => {
  const caller = await rotations.create({ scopes: ['keys:verify'] });
  const first = await rotations.create();
  const second = await rotate(first.key.id);
  const response = await rotations.contract.call('POST', '/v1/verify', {
    key: caller.apiKey,
    body: { apiKey: second.apiKey },
  });
  assert.equal(response.status, 200, response.text);
  await untilEnding(first);
});

test('a rotation before the first use neither extends nor loses the end of the secrets before', async () => {
  const first = await rotations.create();
  const second = await rotate(first.key.id, 600);
  const third = await rotate(first.key.id, 7200);
  assert.deepEqual(
    third.key.secrets.map(({ graceSeconds }) => graceSeconds),
    [null, 7200, 600],
  );
  const from = Date.now();
  await rotations.assertAccepted(third.apiKey);
  const [firstEnd, secondEnd] = [await untilEnding(first), await untilEnding(second)];
  assert.ok(firstEnd >= from + 600_000 && firstEnd < from + 660_000, 'that of its own rotation');
  assert.ok(secondEnd >= from + 7_200_000);
});

test('a use of a secret starts only the graces of its own rotation and earlier ones', async () => {
  const first = await rotations.create();
  const second = await rotate(first.key.id, 600);
  await rotate(first.key.id, 60);
  const from = Date.now();
  await rotations.assertAccepted(second.apiKey);
  const end = await untilEnding(first);
  assert.ok(end >= from + 600_000);
  const { secrets } = await rotations.show(first.key.id);
  assert.deepEqual(
    secrets.map(({ graceSeconds }) => graceSeconds),
    [null, 60, 60],
  );
  assert.ok(Number.isNaN(await endOfUnstarted(second)));
});

test('a rotation whose grace starts now also ends secrets that wait for a first use', async () => {
  const first = await rotations.create();
  const second = await rotate(first.key.id, 60);
  const third = await rotations.rotate(first.key.id, { graceSeconds: 7200 });
  const bound = endOf(third.key, first);
  assert.ok(!Number.isNaN(bound));
  await rotations.assertAccepted(third.apiKey);
  await eventually(
    () => rotations.show(first.key.id),
    (key) => endOf(key, first) < bound,
  );
  assert.equal(endOf(await rotations.show(first.key.id), second), endOf(third.key, second));
  const last = await rotations.rotate(first.key.id, { graceSeconds: 0 });
  assert.equal(last.key.secrets.filter(({ retiredAt }) => retiredAt === null).length, 1);
});

test('a start that cannot be written is written later, with the time of the use', async () => {
  const first = await rotations.create();
  const second = await rotate(first.key.id);
  const before = server.output.length;
  let until = 0;
  await whileTableFails(server, { table: 'api_key_secret', message: 'broken on purpose' }, async () => {
    await rotations.assertAccepted(second.apiKey);
    until = Date.now();
    await eventually(
      async () => server.output.slice(before),
      (output) => output.includes('could not be written after a first use'),
    );
    assert.ok(Number.isNaN(endOf(await rotations.show(first.key.id), first)));
  });
  assert.ok((await untilEnding(first)) <= until + 3_600_000);
});

test('an orderly stop writes a start; after a crash the next use starts the grace', async () => {
  const [stopped, crashed] = [await rotations.create(), await rotations.create()];
  const [afterStop, afterCrash] = [await rotate(stopped.key.id), await rotate(crashed.key.id)];
  const restart = async (signal: NodeJS.Signals) => {
    await server.kill(signal);
    const { dataDir, env } = server;
    server = await startServer({ dataDir, env: { PORT: env.PORT } });
    rotations = await Rotations.on(server);
  };
  await rotations.assertAccepted(afterStop.apiKey);
  await restart('SIGTERM');
  assert.ok(!Number.isNaN(endOf(await rotations.show(stopped.key.id), stopped)));
  // No start is written for it before the crash, because the table cannot be written.
  await whileTableFails(server, { table: 'api_key_secret', message: 'broken on purpose' }, async () => {
    await rotations.assertAccepted(afterCrash.apiKey);
    await server.kill('SIGKILL');
  });
  await restart('SIGKILL');
  assert.ok(Number.isNaN(endOf(await rotations.show(crashed.key.id), crashed)));
  const from = Date.now();
  assert.equal((await call(`${server.url}/v1/verify`, { headers: bearer(afterCrash.apiKey) })).status, 204);
  assert.ok((await untilEnding(crashed)) >= from + 3_600_000);
});
