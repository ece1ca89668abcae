import type { Random } from '../support/random.ts';
import { body, importBody, wellFormedBody, wellFormedCatalog } from './fuzz-bodies.ts';
import {
  calls,
  headerNames,
  headerValues,
  methods,
  oddSegments,
  paths,
  queryNames,
  queryValues,
  wellFormedQueries,
} from './fuzz-words.ts';

/** Valid credentials and ids, so that requests get past the first rejection. */
export interface FuzzCredentials {
  cookie: string;
  /** Keys with each scope, one without scopes, and a revoked one. */
  keys: string[];
  /** Ids of existing keys. */
  ids: string[];
}

export interface FuzzRequest {
  bytes: Buffer;
  method: string;
  /** As sent, not decoded. */
  target: string;
  /** Not exactly one HTTP request: the server may send any number of responses before it closes the connection. */
  damaged: boolean;
}

/** Generates a request. A third are well-formed, a seventh are damaged. */
export function fuzzRequest(random: Random, valid: FuzzCredentials): FuzzRequest {
  if (random.chance(1 / 3)) return wellFormedRequest(random, valid);
  const [method, path] = random.chance(0.4) ? random.pick(calls) : [random.pick(methods), random.pick(paths)];
  const target = targetOf(random, valid, path);
  const encoded = encodeRequest(random, valid, method, target);
  if (!random.chance(0.2)) return { ...encoded, method, target, damaged: false };
  return { bytes: damage(random, encoded), method, target, damaged: true };
}

/** A well-formed call with unusual values, which gets as far as the database. */
function wellFormedRequest(random: Random, valid: FuzzCredentials): FuzzRequest {
  const [method, pattern] = random.pick(calls);
  const path = pattern.replace('{id}', () => random.pick(valid.ids));
  const query = pattern === '/v1/api-keys' && method === 'GET' ? `?${random.pick(wellFormedQueries)}` : '';
  const target = `${path}${query}`;
  const content = wellFormedContent(random, method, path);
  const fields = [
    random.chance(0.6) ? `Cookie: ${valid.cookie}` : `Authorization: Bearer ${random.pick(valid.keys)}`,
    'Host: localhost',
    `Content-Length: ${Buffer.byteLength(content)}`,
    ...(content === '' ? [] : ['Content-Type: application/json']),
    ...(random.chance(0.2) ? [`Idempotency-Key: ${random.pick(headerValues) || 'x'}`] : []),
  ];
  const bytes = Buffer.concat([
    Buffer.from(`${method} ${target} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`, 'latin1'),
    Buffer.from(content),
  ]);
  return { bytes, method, target, damaged: false };
}

function wellFormedContent(random: Random, method: string, path: string): string {
  if (path.endsWith('/import')) return importBody(random);
  if (method === 'GET' || path.endsWith('/revoke')) return '';
  return method === 'PUT' ? wellFormedCatalog(random) : wellFormedBody(random, method === 'POST');
}

function targetOf(random: Random, valid: FuzzCredentials, pattern: string): string {
  const path = pattern
    .replace('{id}', () => random.pick(valid.ids))
    .replace('{odd}', () => random.pick(oddSegments).replaceAll(' ', '%20'));
  if (random.chance(0.6)) return path;
  const pairs = Array.from(
    { length: random.int(0, 4) },
    () => `${random.pick(queryNames)}=${random.pick(queryValues)}`,
  );
  return `${path}?${pairs.join('&')}`;
}

interface EncodedRequest {
  head: Buffer;
  payload: Buffer;
  bytes: Buffer;
}

function encodeRequest(
  random: Random,
  valid: FuzzCredentials,
  method: string,
  target: string,
): EncodedRequest {
  const fields = credentials(random, valid);
  for (let i = random.int(0, 3); i > 0; i--)
    fields.push(`${random.pick(headerNames)}: ${random.pick(headerValues)}`);
  fields.push(`Host: ${random.pick(['localhost', 'localhost', 'x', 'evil.example:99', '[::1]', ''])}`);
  if (random.chance(0.1))
    fields.push(`Origin: ${random.pick(['null', 'https://evil.example', 'http://localhost', ''])}`);
  const withBody = random.chance(['GET', 'HEAD', 'OPTIONS', 'TRACE'].includes(method) ? 0.05 : 0.85);
  const { bytes: content, type } = withBody ? body(random) : { bytes: Buffer.alloc(0), type: '' };
  const contentType = random.chance(0.9)
    ? type
    : random.pick(['text/plain', 'application/xml', '', 'a/b; c=d', 'application/JSON']);
  if (withBody) fields.push(`Content-Type: ${contentType}`);
  const chunked = withBody && random.chance(0.2);
  fields.push(chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${content.length}`);
  const payload = chunked ? chunks(random, content) : content;
  const head = Buffer.from(`${method} ${target} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`, 'latin1');
  return { head, payload, bytes: Buffer.concat([head, payload]) };
}

function credentials(random: Random, valid: FuzzCredentials): string[] {
  const kind = random.int(0, 9);
  if (kind <= 3) return [`Cookie: ${valid.cookie}`];
  if (kind <= 7) return [`Authorization: Bearer ${random.pick(valid.keys)}`];
  if (kind === 8) return [`Authorization: Bearer ${random.pick(valid.keys)}`, `Cookie: ${valid.cookie}`];
  return [];
}

function chunks(random: Random, content: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < content.length; ) {
    const part = content.subarray(at, at + random.int(1, 4000));
    parts.push(
      Buffer.from(`${part.length.toString(16)}${random.pick(['', ';a=b'])}\r\n`),
      part,
      Buffer.from('\r\n'),
    );
    at += part.length;
  }
  return Buffer.concat([...parts, Buffer.from(random.pick(['0\r\n\r\n', '0\r\nX-Trailer: y\r\n\r\n']))]);
}

/** Damages a request in a way that clients, proxies or attackers do. */
function damage(random: Random, { head, payload, bytes }: EncodedRequest): Buffer {
  const replaced = (pattern: RegExp, by: string) =>
    Buffer.concat([Buffer.from(head.toString('latin1').replace(pattern, by), 'latin1'), payload]);
  switch (random.int(0, 11)) {
    case 0:
      return random.bytes(random.int(1, 300));
    case 1:
      return bytes.subarray(0, random.int(0, bytes.length - 1));
    case 2:
      return replaced(/Content-Length: .*/, `Content-Length: ${payload.length + random.int(-20, 20)}`);
    case 3:
      return replaced(
        /Content-Length: .*/,
        random.pick(['Content-Length: -1', 'Content-Length: 1e3', 'Content-Length: 1\r\nContent-Length: 2']),
      );
    case 4:
      return replaced(/Content-Length: /, 'Transfer-Encoding: chunked\r\nContent-Length: ');
    case 5:
      return replaced(
        /Host: .*/,
        random.pick(['X: y', 'Host: a\r\nHost: b', 'Ho\u0000st: x', ' folded: x', 'Host : x']),
      );
    case 6:
      return replaced(/^\S+/, random.pick(['FOO', 'CONNECT', 'get', '', 'GET GET', '\u0016\u0003\u0001']));
    case 7:
      return replaced(/HTTP\/1\.1/, random.pick(['HTTP/1.0', 'HTTP/2.0', 'HTTP/9.9', 'ICY', '']));
    case 8:
      return replaced(/\r\n/, `\r\nX-Huge: ${'x'.repeat(random.pick([17_000, 40_000]))}\r\n`);
    // Twice as often as the others: many of these are rejected for another reason before their size is checked.
    case 9:
    case 10:
      return Buffer.concat([
        replaced(/Content-Length: .*/, 'Content-Length: 70000'),
        Buffer.alloc(70_000, ' '),
      ]);
    default: {
      const broken = Buffer.from(bytes);
      for (let i = random.int(1, 5); i > 0; i--)
        broken[random.int(0, broken.length - 1)] = random.int(0, 255);
      return broken;
    }
  }
}
