/**
 * Bytes that two servers could split into different requests. For any input, the API behind the gateway receives only
 * complete, verified requests, one for each that the gateway counted.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ConnectionEnded, HttpSocket, type RawResponse } from '../support/http-socket.ts';
import { openSession } from '../support/session.ts';
import { startGateway, startRawUpstream } from './gateway.ts';

const upstream = await startRawUpstream();
const { server, gateway } = await startGateway(upstream.url);
const ada = await openSession(server);
const { apiKey } = await ada.createKey({ name: 'good' });
after(async () => {
  await server.stop();
  upstream.stop();
});

const good = `Host: x\r\nAuthorization: Bearer ${apiKey}\r\n`;
const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: x\r\nX-Soku-Key-Id: forged\r\n\r\n';
const post = (fields: string, body: string, line = 'POST /first HTTP/1.1') =>
  `${line}\r\n${good}${fields}\r\n${body}`;

/** Sends bytes. @returns the responses until the connection ends or an ordinary request after them gets a response */
async function send(bytes: string): Promise<{ responses: RawResponse[]; forwarded: string[] }> {
  const before = upstream.requests.length;
  const socket = await HttpSocket.open(gateway);
  const responses: RawResponse[] = [];
  try {
    const [first, last] = [
      socket.send(Buffer.from(bytes, 'latin1')),
      socket.send(`GET /last HTTP/1.1\r\n${good}\r\n`),
    ];
    for (const result of await Promise.allSettled([first, last])) {
      if (result.status === 'fulfilled') responses.push(result.value);
      else assert.ok(result.reason instanceof ConnectionEnded);
    }
    if (responses.some((response) => response.headers.get('connection') === 'close')) await socket.closed();
  } finally {
    socket.close();
  }
  return { responses, forwarded: upstream.requests.slice(before) };
}

/** Asserts that the upstream received only verified requests, and not the smuggled one. */
function assertClean(what: string, forwarded: string[]): void {
  // A request with an aborted body has no end, and its connection is closed.
  for (const request of [...forwarded, ...upstream.rests()]) {
    const [head = '', body = ''] = request.split('\r\n\r\n', 2);
    assert.match(head, /^(POST|GET|PUT) \/(first|last)/, what);
    assert.match(head, /\r\nx-soku-key-id: key_\w{26}\r\n/, what);
    assert.doesNotMatch(head, /forged|authorization/i, what);
    const framings = head.match(/\r\n(content-length|transfer-encoding):/gi) ?? [];
    assert.equal(framings.length, /^GET/.test(head) && body === '' ? 0 : 1, `${what}: one framing`);
    assert.doesNotMatch(head, /[^\r]\n|\r(?!\n)/, `${what}: no bare CR or LF`);
  }
}

const chunked = 'Transfer-Encoding: chunked\r\n';
const rejected: [string, string][] = [
  ['length and chunks', post(`Content-Length: 4\r\n${chunked}`, `0\r\n\r\n${smuggled}`)],
  ['chunks and length', post(`${chunked}Content-Length: 4\r\n`, `0\r\n\r\n${smuggled}`)],
  ['two lengths', post('Content-Length: 0\r\nContent-Length: 70\r\n', smuggled)],
  ['two equal lengths', post('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello')],
  ['a length with a leading zero', post(`Content-Length: 0${smuggled.length}\r\n`, smuggled)],
  ['a length of many zeros', post(`Content-Length: ${'0'.repeat(40)}5\r\n`, `hello${smuggled}`)],
  ['a length of only zeros', post('Content-Length: 000\r\n', smuggled)],
  ['a list of equal lengths', post('Content-Length: 5, 5\r\n', `hello${smuggled}`)],
  ['an empty length', post('Content-Length: \r\n', smuggled)],
  ['a list of lengths', post('Content-Length: 0, 70\r\n', smuggled)],
  ['a length with a sign', post('Content-Length: +70\r\n', smuggled)],
  ['a hexadecimal length', post('Content-Length: 0x10\r\n', smuggled)],
  ['a length with a space in it', post('Content-Length: 7 0\r\n', smuggled)],
  ['a space before the colon', post('Transfer-Encoding : chunked\r\n', `0\r\n\r\n${smuggled}`)],
  ['an unknown coding', post('Transfer-Encoding: xchunked\r\n', `0\r\n\r\n${smuggled}`)],
  ['a coding in quotes', post('Transfer-Encoding: "chunked"\r\n', `0\r\n\r\n${smuggled}`)],
  ['a coding after a letter and a tab', post('Transfer-Encoding: x\tchunked\r\n', `0\r\n\r\n${smuggled}`)],
  [
    'chunked that is not the last coding',
    post('Transfer-Encoding: chunked, identity\r\n', `0\r\n\r\n${smuggled}`),
  ],
  ['chunked twice', post('Transfer-Encoding: chunked, chunked\r\n', `0\r\n\r\n${smuggled}`)],
  ['chunked in two fields', post(`${chunked}${chunked}`, `0\r\n\r\n${smuggled}`)],
  ['a coding before chunked', post('Transfer-Encoding: gzip, chunked\r\n', `0\r\n\r\n${smuggled}`)],
  ['a coding in a previous field', post(`Transfer-Encoding: identity\r\n${chunked}`, `0\r\n\r\n${smuggled}`)],
  ['a folded coding', post('Transfer-Encoding:\r\n chunked\r\n', `0\r\n\r\n${smuggled}`)],
  ['chunks in HTTP/1.0', post(chunked, `0\r\n\r\n${smuggled}`, 'POST /first HTTP/1.0')],
  ['a wrong chunk size', post(chunked, `zz\r\n\r\n${smuggled}`)],
  ['a chunk size that overflows', post(chunked, `fffffffffffffffff\r\n\r\n${smuggled}`)],
  ['a chunk that is longer than its size', post(chunked, `1\r\nab\r\n0\r\n\r\n${smuggled}`)],
  ['a bare LF after a chunk size', post(chunked, `1\na\r\n0\r\n\r\n${smuggled}`)],
  ['a bare LF in a chunk extension', post(chunked, `0;a\n\r\n${smuggled}`)],
  ['bare LF', post('X: y\n', '').replaceAll('\r\n', '\n')],
  ['a bare LF after a field', post('X: y\nContent-Length: 70\r\n', smuggled)],
  ['a bare CR in a field', post('X: y\rContent-Length: 70\r\n', smuggled)],
  ['a NUL in a field', post('X: y\0z\r\n', '')],
  ['a control character in a field', post('X: y\x01z\r\n', '')],
  ['a space in a name', post('X Y: z\r\n', '')],
  ['a folded field', post('X: y\r\n z\r\n', '')],
  ['a field before all fields', `POST /first HTTP/1.1\r\n X: y\r\n${good}\r\n`],
  ['a space in the target', post('', '', 'GET /first /smuggled HTTP/1.1')],
  ['a tab in the target', post('', '', 'GET /first\tx HTTP/1.1')],
  ['a letter outside ASCII in the target', post('', '', 'GET /first\xfc HTTP/1.1')],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
];

for (const [what, bytes] of rejected) {
  test(`${what}: rejected, and nothing after it is read`, async () => {
    const { responses, forwarded } = await send(bytes);
    assertClean(what, forwarded);
    assert.deepEqual(forwarded, []);
    assert.ok(responses.length <= 1);
    for (const { status, body } of responses) {
      assert.equal(status, 400);
      assert.match(body, /"code":"invalid_request"/);
    }
  });
}

test('a body that looks like a request is forwarded as a body', async () => {
  const size = smuggled.length.toString(16);
  const bodies: [string, string][] = [
    ['of a stated length', post(`Content-Length: ${smuggled.length}\r\n`, smuggled)],
    ['in chunks', post(chunked, `${size}\r\n${smuggled}\r\n0\r\n\r\n`)],
    [
      'in odd chunks',
      post(
        'TRANSFER-ENCODING: \t CHUNKED \r\n',
        `00${size};a="b"\r\n${smuggled}\r\n000\r\nX-Soku-Key-Id: forged\r\n\r\n`,
      ),
    ],
    ['of a GET', post(`Content-Length: ${smuggled.length}\r\n`, smuggled, 'GET /first HTTP/1.1')],
  ];
  for (const [what, bytes] of bodies) {
    const { responses, forwarded } = await send(bytes);
    assertClean(what, forwarded);
    assert.deepEqual(
      responses.map(({ status }) => status),
      [200, 200],
      what,
    );
    assert.equal(forwarded.length, 2, what);
    assert.ok(forwarded[0]?.includes(smuggled), what);
    assert.match(forwarded[1] ?? '', /^GET \/last /, what);
  }
});

test('a request without a body is framed as such, so nothing after it becomes its body', async () => {
  for (const line of ['POST /first HTTP/1.1', 'PUT /first HTTP/1.1', 'GET /first HTTP/1.1']) {
    for (const fields of [
      '',
      'Content-Length: 0\r\n',
      'Connection: content-length\r\nContent-Length: 0\r\n',
    ]) {
      const { responses, forwarded } = await send(post(fields, '', line));
      assertClean(line, forwarded);
      const length = line.startsWith('GET') ? null : ['\r\nContent-Length: 0\r\n'];
      assert.deepEqual(forwarded[0]?.match(/\r\nContent-Length.*\r\n/i)?.slice() ?? null, length, line);
      assert.deepEqual(
        responses.map(({ status }) => status),
        [200, 200],
        `${line} ${fields}`,
      );
    }
  }
});

test('Connection cannot remove the framing fields', async () => {
  for (const name of ['content-length', 'transfer-encoding', 'host']) {
    const { forwarded } = await send(
      post(`Connection: ${name}\r\nContent-Length: ${smuggled.length}\r\n`, smuggled),
    );
    assertClean(name, forwarded);
    assert.equal(forwarded.length, 2);
  }
});

test('fields after the 2000th are read like all others', async () => {
  const many = 'a:\r\n'.repeat(2100);
  const { responses, forwarded } = await send(post(`${many}Content-Length: 5\r\n`, 'hello'));
  assertClean('many', forwarded);
  assert.deepEqual(
    responses.map(({ status }) => status),
    [200, 200],
  );
  assert.match(forwarded[0] ?? '', /hello$/);
  const twice = `POST /first HTTP/1.1\r\n${good}${many}Authorization: Bearer x\r\n\r\n`;
  assert.equal((await send(twice)).responses[0]?.status, 401);
});

test('the body of a rejected request is not read as the next request', async () => {
  const bad = `POST /first HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${apiKey.slice(0, -1)}\r\n`;
  const inner = `GET /first HTTP/1.1\r\n${good}\r\n`;
  const bodies = [
    `${bad}Content-Length: ${inner.length}\r\n\r\n${inner}`,
    `${bad}${chunked}\r\n${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`,
    `${bad}Content-Length: 5000000\r\n\r\n${inner.repeat(10)}`,
    `${bad}${chunked}\r\nzz\r\n${inner}`,
  ];
  for (const bytes of bodies) {
    const { responses, forwarded } = await send(bytes);
    assert.deepEqual(
      responses.map(({ status }) => status),
      [401],
      'one response, and the connection is closed',
    );
    assert.deepEqual(forwarded, []);
  }
});

test('pipelined requests are each verified', async () => {
  const before = upstream.requests.length;
  const socket = await HttpSocket.open(gateway);
  const request = (path: string, key: string) =>
    `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n\r\n`;
  const responses = await Promise.all([
    socket.send(request('/first', apiKey)),
    socket.send(request('/refused', 'x')),
    socket.send(request('/last', apiKey)),
  ]);
  socket.close();
  assert.deepEqual(
    responses.map(({ status }) => status),
    [200, 401, 200],
  );
  assertClean('pipelined', upstream.requests.slice(before));
  assert.equal(upstream.requests.length, before + 2);
});
