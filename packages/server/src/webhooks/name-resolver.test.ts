/** Names of receivers, which are resolved without the threads for which other connections wait. */
import assert from 'node:assert/strict';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { eventually } from '../../../../test/support/contract.ts';
import { startNameServer } from '../../../../test/support/name-server.ts';
import { ReachableAddresses } from './addresses.ts';
import { NameResolver } from './name-resolver.ts';
import { WebhookSender } from './sender.ts';

const names = { 'hooks.example.com': ['127.0.0.1', '127.0.0.2'], 'other.example.com': ['127.0.0.3'] };
const isStalled = (name: string) => name.endsWith('stalled.example.com');

async function nameServer(t: TestContext, isSilent?: (name: string, family: 4 | 6) => boolean) {
  const server = await startNameServer(names, isSilent);
  t.after(() => server.close());
  return server;
}

function resolverOf({ address }: { address: string }, timeout = 60_000) {
  return new NameResolver({ addresses: new ReachableAddresses(['localhost']), timeout, servers: [address] });
}

test('names are resolved by the name servers, and names that the operator lists by the system', async (t) => {
  const server = await nameServer(t);
  const resolver = resolverOf(server);
  assert.deepEqual(await resolver.resolve('hooks.example.com'), [
    { address: '127.0.0.1', family: 4 },
    { address: '127.0.0.2', family: 4 },
  ]);
  await assert.rejects(resolver.resolve('nowhere.example.com'), { code: 'ENOTFOUND' });
  const asked = server.queries.length;
  assert.notEqual((await resolver.resolve('localhost')).length, 0, 'it is in /etc/hosts');
  assert.equal(server.queries.length, asked);
});

test('names whose servers do not respond delay no other lookup, and end when the resolver closes', async (t) => {
  const server = await nameServer(t, isStalled);
  const resolver = resolverOf(server);
  // More than libuv has threads.
  const stalled = Array.from({ length: 32 }, (_, i) => `${i}.stalled.example.com`);
  let ended = 0;
  const failing = stalled.map(async (name) => {
    await assert.rejects(resolver.resolve(name), { code: 'ECANCELLED' });
    ended += 1;
  });
  await Promise.all(stalled.map((name) => server.whenAsked(name)));
  await lookup('localhost');
  assert.deepEqual(await resolver.resolve('other.example.com'), [{ address: '127.0.0.3', family: 4 }]);
  assert.equal(ended, 0, 'they still wait');
  resolver.close();
  await Promise.all(failing);
  await assert.rejects(resolver.resolve('hooks.example.com'), { code: 'ECANCELLED' });
});

test('a name has its IPv4 addresses even if the query for IPv6 has no answer', async (t) => {
  const server = await nameServer(t, (_name, family) => family === 6);
  const resolver = resolverOf(server, 200);
  // On a busy machine the time may be over before the addresses have arrived.
  const addresses = await eventually(
    () => resolver.resolve('other.example.com').catch(() => []),
    ({ length }) => length > 0,
  );
  assert.deepEqual(addresses, [{ address: '127.0.0.3', family: 4 }]);
});

test('the sender uses this resolver', async (t) => {
  const server = await nameServer(t, isStalled);
  const receiver = createServer((socket) => void socket.destroy());
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  t.after(() => receiver.close());
  const at = receiver.address();
  assert.ok(at !== null && typeof at === 'object');
  const addresses = new ReachableAddresses(['127.0.0.0/8']);
  const send = async (host: string, timeout: number) => {
    const sender = new WebhookSender({ addresses, timeout, servers: [server.address] });
    t.after(() => sender.close());
    const request = { url: `https://${host}:${at.port}/`, headers: {}, body: '{}' };
    return (await sender.send(request, new AbortController().signal)).error;
  };
  const connected = once(receiver, 'connection');
  assert.match((await send('hooks.example.com', 60_000)) ?? '', /^The connection failed/);
  await connected;
  assert.match(
    (await send('1.stalled.example.com', 600)) ?? '',
    /^The name servers of the host did not answer/,
  );
});
