/** The sender, which connects only to permitted addresses and waits for no receiver longer than its timeout. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type TestContext, test } from 'node:test';
import { eventually } from '../../../../test/support/contract.ts';
import { ReachableAddresses } from './addresses.ts';
import { WebhookSender } from './sender.ts';

const running = new AbortController().signal;

/** A receiver on 127.0.0.1, which counts its requests. Other loopback addresses reach it, too. */
async function receiver(t: TestContext, respond: RequestListener) {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    respond(request, response);
  });
  server.listen(0);
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return { port: address.port, requests: () => requests };
}

/** Allows http:// to any host, which the receivers of these tests use, but not any address. */
class AddressesWithHttp extends ReachableAddresses {
  override isAllowed(): boolean {
    return true;
  }
}

/** @param resolved what each lookup returns, one after the other. 127.0.0.1 takes the place of a public address */
function senderWith(t: TestContext, resolved: readonly string[][], timeout = 10_000) {
  let lookups = 0;
  const sender = new WebhookSender({
    addresses: new AddressesWithHttp(['127.0.0.1']),
    timeout,
    resolve: async () => {
      const addresses = resolved[lookups] ?? [];
      lookups += 1;
      return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    },
  });
  t.after(() => sender.close());
  const send = (url: string, signal = running) => sender.send({ url, headers: {}, body: '{}' }, signal);
  return { send, lookups: () => lookups };
}

test('a host that resolves to a private address at the second lookup is not reached', async (t) => {
  const { port, requests } = await receiver(t, (_request, response) => {
    // A new connection, and so a new lookup, for each request.
    response.writeHead(200, { connection: 'close' }).end('ok');
  });
  const { send, lookups } = senderWith(t, [['127.0.0.1'], ['127.0.0.2'], ['127.0.0.1']]);
  const url = `http://hooks.example.com:${port}/`;
  const first = await send(url);
  assert.deepEqual([first.status, first.body, first.error], [200, 'ok', null]);
  const second = await send(url);
  assert.equal(second.status, null);
  assert.match(second.error ?? '', /^hooks\.example\.com has no public address\./);
  assert.ok(!second.error?.includes('127'), 'it reveals no address');
  assert.equal(requests(), 1);
  assert.equal((await send(url)).status, 200);
  assert.equal(lookups(), 3, 'one lookup for each connection, whose result was used');
});

test('a host is not reached if one of its addresses is not public', async (t) => {
  const { port, requests } = await receiver(t, (_request, response) => response.end());
  const lists = [['127.0.0.1', '10.0.0.1'], ['127.0.0.1', '::1'], ['fe80::1%lo'], []];
  const { send } = senderWith(t, lists);
  for (const list of lists) {
    const { error } = await send(`http://hooks.example.com:${port}/`);
    assert.match(error ?? '', /no public address/, JSON.stringify(list));
  }
  // Addresses in URLs are not looked up.
  for (const host of ['127.0.0.2', '[::1]', '[::ffff:127.0.0.2]', '0.0.0.0', '2130706434', '0x7f.2']) {
    assert.match((await send(`http://${host}:${port}/`)).error ?? '', /no public address/, host);
  }
  assert.equal(requests(), 0);
});

test('a name that does not exist has the same error as one with a private address', async (t) => {
  const errors = [];
  const notFound = async () => {
    throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
  };
  for (const resolve of [notFound, async () => [{ address: '10.0.0.1', family: 4 }]]) {
    const sender = new WebhookSender({ addresses: new ReachableAddresses([]), timeout: 10_000, resolve });
    t.after(() => sender.close());
    const request = { url: 'https://hooks.example.com/', headers: {}, body: '{}' };
    errors.push((await sender.send(request, running)).error);
  }
  const [missing] = errors;
  assert.match(missing ?? '', /^hooks\.example\.com has no public address\./);
  assert.deepEqual(errors, [missing, missing]);
});

test('http:// is used only for a host that the operator still allows', async (t) => {
  const { port, requests } = await receiver(t, (_request, response) => response.end());
  const send = async (allow: string[]) => {
    const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
    const sender = new WebhookSender({ addresses: new ReachableAddresses(allow), timeout: 10_000, resolve });
    t.after(() => sender.close());
    const request = { url: `http://hooks.example.com:${port}/`, headers: {}, body: '{}' };
    return (await sender.send(request, running)).error;
  };
  assert.match((await send(['127.0.0.1'])) ?? '', /^The URL must start with https/);
  assert.equal(requests(), 0);
  assert.equal(await send(['hooks.example.com']), null);
  assert.equal(requests(), 1);
});

test('a redirect to a private address is not followed', async (t) => {
  const inner = await receiver(t, (_request, response) => response.end());
  const outer = await receiver(t, (_request, response) => {
    response.writeHead(307, { location: `http://127.0.0.1:${inner.port}/` }).end();
  });
  const { send } = senderWith(t, [['127.0.0.1']]);
  const { status, error } = await send(`http://hooks.example.com:${outer.port}/`);
  assert.equal(status, 307);
  assert.match(error ?? '', /Redirects are not followed/);
  assert.equal(inner.requests(), 0);
});

test('a request to a receiver that hangs ends with the timeout, before the response and in the middle of it', async (t) => {
  const { port } = await receiver(t, (request, response) => {
    if (request.url === '/half') response.writeHead(200).write('half');
    if (request.url === '/headers') response.socket?.write('HTTP/1.1 200 OK\r\nX-Slow: ');
  });
  const { send } = senderWith(t, Array(100).fill(['127.0.0.1']), 200);
  for (const path of ['/never', '/headers']) {
    const { status, error } = await send(`http://hooks.example.com:${port}${path}`);
    assert.deepEqual([status, error], [null, 'The receiver did not respond within 0.2 seconds.'], path);
  }
  // On a busy machine the time may be over before the half has arrived.
  const half = await eventually(
    () => send(`http://hooks.example.com:${port}/half`),
    ({ body }) => body === 'half',
  );
  assert.deepEqual([half.status, half.error], [200, null], 'the status counts');
});

test('no more than a kilobyte of a response is read', async (t) => {
  const closed = Promise.withResolvers<void>();
  const { port } = await receiver(t, (_request, response) => {
    response.on('close', () => closed.resolve());
    response.writeHead(200);
    const write = () => {
      while (!response.destroyed && response.write('x '.repeat(32_768)));
    };
    response.on('drain', write);
    write();
  });
  const { send } = senderWith(t, [['127.0.0.1']]);
  const { body, error } = await send(`http://hooks.example.com:${port}/`);
  assert.deepEqual([body, error], ['x '.repeat(512), null]);
  await closed.promise;
});

test('signing secrets and signatures are removed from a response', async (t) => {
  // No run of 26 letters and digits.
  const base64 = `${'Ab1+/'.repeat(8)}xyz=`;
  const texts = [
    [`whsec_${base64}`, 'whsec_[redacted]'],
    [JSON.stringify({ secret: `whsec_${base64}`, ok: 1 }), '{"secret":"whsec_[redacted]","ok":1}'],
    [`webhook-signature: v1,${base64} v1,${base64}\n`, 'webhook-signature: v1,[redacted] v1,[redacted]\n'],
    [`"v1,${base64.replaceAll('/', '\\/')}"`, '"v1,[redacted]"'],
  ] as const;
  let echoed = '';
  const { port } = await receiver(t, (_request, response) => response.end(echoed));
  const { send } = senderWith(
    t,
    texts.map(() => ['127.0.0.1']),
  );
  for (const [text, stored] of texts) {
    echoed = text;
    assert.equal((await send(`http://hooks.example.com:${port}/`)).body, stored);
  }
});

test('failures of the connection have short reasons, and a stop aborts a request', async (t) => {
  const { port } = await receiver(t, (request) => {
    if (request.url === '/reset') request.socket.resetAndDestroy();
  });
  const { send } = senderWith(t, [['127.0.0.1'], ['127.0.0.1']]);
  const url = `http://hooks.example.com:${port}`;
  assert.match((await send(`${url}/reset`)).error ?? '', /^The connection failed \(\w+\)\.$/);
  const stopping = new AbortController();
  const sending = send(`${url}/hangs`, stopping.signal);
  stopping.abort();
  assert.notEqual((await sending).error, null);
});
