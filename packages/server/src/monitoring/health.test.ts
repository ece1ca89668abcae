import assert from 'node:assert/strict';
import { test } from 'node:test';
import fastify from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { NodeStatus } from '../propagation/node-status.ts';
import { healthRoutes } from './health.ts';

const healthy: NodeStatus = {
  id: 'an id',
  name: 'host:1',
  registered: true,
  leaseMs: 1500.4,
  appliedSeq: 7,
  headSeq: 9,
  lag: 2,
  nodes: [],
};

/** The response of /readyz in a given state. */
async function readiness(things: {
  ping?: () => Promise<void>;
  nodeStatus?: () => NodeStatus;
  isStopping?: () => boolean;
}) {
  const { ping = async () => undefined, nodeStatus, isStopping = () => false } = things;
  const app = fastify().withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  await app.register(healthRoutes, { database: { ping }, nodeStatus, isStopping });
  const response = await app.inject('/readyz');
  return { code: response.statusCode, ...response.json() };
}

test('a server with a responding database or a lease, which is not stopping, is ready', async () => {
  const nodeFields = { node: 'an id', lease: { remainingMs: 1500 }, feed: { appliedSeq: 7, lag: 2 } };
  assert.deepEqual(await readiness({}), { code: 200, status: 'ok' });
  assert.deepEqual(await readiness({ nodeStatus: () => healthy }), {
    code: 200,
    status: 'ok',
    ...nodeFields,
  });
});

test('a server without one of these is not ready', async () => {
  const no = async () => {
    throw new Error('no');
  };
  const { code, status, reason } = await readiness({ ping: no });
  assert.deepEqual([code, status, reason], [503, 'unavailable', 'database_unavailable']);
  const stopping = await readiness({ nodeStatus: () => healthy, isStopping: () => true });
  assert.deepEqual([stopping.code, stopping.reason], [503, 'stopping']);
  const lapsed = await readiness({ nodeStatus: () => ({ ...healthy, leaseMs: 0 }) });
  assert.deepEqual([lapsed.code, lapsed.lease, lapsed.reason], [503, { remainingMs: 0 }, 'no_lease']);
});

test('with a lease the database is not queried, so that a flood of checks cannot exhaust its connections', async () => {
  let pings = 0;
  const ping = async () => {
    pings += 1;
  };
  assert.equal((await readiness({ ping, nodeStatus: () => healthy })).code, 200);
  assert.equal((await readiness({ ping, nodeStatus: () => ({ ...healthy, leaseMs: 0 }) })).code, 503);
  assert.equal(pings, 0);
  assert.equal((await readiness({ ping })).code, 200);
  assert.equal(pings, 1);
});
