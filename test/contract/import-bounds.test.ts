/** Who can import, and how much in one call. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { assertProblem, Contract, eventually } from '../support/contract.ts';
import { HttpSocket } from '../support/http-socket.ts';
import type { Person } from '../support/person.ts';
import { startServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';
import { bob as bobsAccount } from '../support/two-accounts.ts';

const server = await sharedServer();
const contract = await Contract.of(server);
const ada = await openSession(server);
const bob = await openSession(server, bobsAccount);

const newHash = () => randomBytes(32).toString('hex');
const send = (body: unknown, as: Person = ada) => contract.call('POST', '/v1/api-keys/import', { as, body });

test('only people can import, and a key is rejected before it sends a body', async () => {
  const { apiKey } = await ada.createKey({ name: 'manager', scopes: ['keys:write', 'keys:read'] });
  assertProblem(
    await contract.call('POST', '/v1/api-keys/import', { key: apiKey, body: '{' }),
    'session_required',
  );
});

test('a body with the wrong form is rejected', async () => {
  const rejected = async (body: unknown) => assertProblem(await send(body), 'invalid_request');
  assert.equal((await rejected({ keys: [] })).details?.[0]?.path, 'keys');
  for (const body of [{}, [], { keys: {} }, { keys: 'x' }, { keys: [1], dryRun: 'no' }, { keys: [1], x: 1 }])
    await rejected(body);
  await rejected({ keys: Array(10_001).fill(1) });
  const problem = assertProblem(await send(' '.repeat(16 * 1024 * 1024 + 1)), 'payload_too_large');
  assert.match(problem.message, /16777216/);
});

test('10,000 keys can be imported in one call, but not more than the workspace may have', async (t) => {
  const small = await startServer({ env: { SOKU_MAX_ACTIVE_KEYS: '10000' } });
  t.after(() => small.stop());
  const person = await openSession(small);
  const keys = Array.from({ length: 10_000 }, (_, i) => ({ name: `Key ${i}`, hash: newHash() }));
  const imported = async (body: object) => person.call('POST', '/v1/api-keys/import', body);
  const first = await imported({ keys });
  assert.deepEqual(first.body, { imported: 10_000, unchanged: 0, problems: [] });
  const more = [{ name: 'one more', hash: newHash() }];
  for (const dryRun of [true, false])
    assertProblem(await imported({ keys: more, dryRun }), 'key_quota_reached');
  assert.deepEqual((await imported({ keys })).body, { imported: 0, unchanged: 10_000, problems: [] });
});

// The last two tests, because an import whose client has disconnected can still run for a moment.

test('a workspace can send one import at a time', async (t) => {
  const sockets: HttpSocket[] = [];
  t.after(() => {
    for (const socket of sockets) socket.close();
  });
  const fields = ['Host: localhost', `Cookie: ${ada.cookie}`, 'Content-Type: application/json'];
  const head = ['POST /v1/api-keys/import HTTP/1.1', ...fields, 'Content-Length: 9', '', '{'].join('\r\n');
  const keys = [{ name: 'x', hash: newHash() }];
  /** Sends an import whose body never ends, and another one, which may come first. */
  const sendTwo = async () => {
    const socket = await HttpSocket.open(server.url);
    sockets.push(socket);
    socket.send(head).catch(() => undefined);
    return send({ keys });
  };
  const rejected = await eventually(sendTwo, ({ status }) => status !== 200);
  assertProblem(rejected, 'rate_limited');
  assert.equal(rejected.headers.get('retry-after'), '1');
  assert.equal((await send({ keys: [{ name: 'x', hash: newHash() }] }, bob)).status, 200);
  for (const socket of sockets) socket.close();
  await eventually(
    () => send({ keys }),
    ({ status }) => status === 200,
  );
});

test('a client that disconnects at any moment leaves the workspace free to import', async () => {
  const body = JSON.stringify({ keys: [{ name: 'x', hash: newHash() }] });
  const fields = [
    `Cookie: ${ada.cookie}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
  ];
  const request = ['POST /v1/api-keys/import HTTP/1.1', 'Host: localhost', ...fields, '', body].join('\r\n');
  for (let i = 0; i < 40; i += 1) {
    const socket = await HttpSocket.open(server.url);
    socket.send(request).catch(() => undefined);
    // Sends this request only after the previous bytes, so the time until the end differs.
    if (i % 2 === 1) await contract.call('GET', '/healthz');
    socket.close();
  }
  await eventually(
    () => send({ keys: [{ name: 'x', hash: newHash() }] }),
    ({ status }) => status === 200,
  );
});
