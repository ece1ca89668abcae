import { gzipSync } from 'node:zlib';
import type { Random } from '../support/random.ts';

/** Field names of the API, and names with a special meaning in JavaScript. */
const names = [
  'name',
  'scopes',
  'expiresAt',
  'id',
  'ids',
  'all',
  'apiKey',
  'email',
  'password',
  'token',
  'code',
].concat([
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'then',
  '',
  '\u0000',
  'a.b',
  '0',
  '$ref',
]);

const texts = [
  'x',
  '',
  ' ',
  'Production Server',
  'keys:read',
  'keys:write',
  '2030-01-31T12:00:00Z',
  '9999-99-99',
].concat(
  [
    '+275760-09-13T00:00:00Z',
    '2030-01-31T12:00:00+23:59',
    '\u0000',
    '\u202e',
    '\ud800',
    '🔑'.repeat(60),
    'ß'.repeat(101),
  ],
  ["'; DROP TABLE api_key; --", '%', '_', '\\', '#{7*7}', '{{x}}', '<script>', 'null', '-0', '1e999'],
);

/** Any JSON value. */
function value(random: Random, depth: number): unknown {
  const kind = random.int(0, depth > 0 ? 7 : 5);
  if (kind <= 2) return random.pick(texts);
  if (kind === 3) return random.pick([0, -1, 1e21, 2 ** 53, 0.1, -0]);
  if (kind === 4) return random.chance(0.5);
  if (kind === 5) return null;
  const length = random.int(0, 4);
  if (kind === 6) return Array.from({ length }, () => value(random, depth - 1));
  // An assignment to __proto__ would not create a field, so use defineProperty.
  const object = {};
  for (let i = 0; i < length; i++) {
    const field = { value: value(random, depth - 1), enumerable: true, configurable: true, writable: true };
    Object.defineProperty(object, random.pick(names), field);
  }
  return object;
}

/** A body that is valid or nearly valid. */
function nearlyValid(random: Random): unknown {
  const body: Record<string, unknown> = {
    name: random.chance(0.7) ? 'Production Server' : random.pick(texts),
  };
  if (random.chance(0.4))
    body.scopes = random.pick([[], ['keys:read'], ['keys:verify', 'keys:verify'], ['admin']]);
  if (random.chance(0.3)) body.expiresAt = random.pick(['2031-01-01T00:00:00Z', null, ...texts]);
  if (random.chance(0.1)) body[random.pick(names)] = value(random, 1);
  return body;
}

/** A JSON body of the right shape, with unusual texts. */
export function wellFormedBody(random: Random, forNewKey: boolean): string {
  const name = random.chance(0.5) ? 'Production Server' : random.pick(texts);
  if (!forNewKey || random.chance(0.5)) return JSON.stringify({ name });
  const expiresAt = random.chance(0.5) ? random.pick(texts) : '2031-01-01T00:00:00Z';
  return JSON.stringify({
    name,
    scopes: random.pick([[], ['keys:read'], ['files:read'], ['files:*']]),
    expiresAt,
  });
}

/** The body of PUT /v1/scopes, with unusual texts. */
export function wellFormedCatalog(random: Random): string {
  const name = random.pick(['files:read', 'files:write', random.pick(texts)]);
  return JSON.stringify({ scopes: random.chance(0.2) ? [] : [{ name, description: random.pick(texts) }] });
}

/** A body of an import, with valid and unusual keys. */
export function importBody(random: Random): string {
  const keys = Array.from({ length: random.int(0, 4) }, () => {
    if (random.chance(0.2)) return value(random, 3);
    const key: Record<string, unknown> = { name: 'Imported', hash: random.bytes(32).toString('hex') };
    if (random.chance(0.3)) key[random.pick([...importFields, ...names])] = value(random, 2);
    if (random.chance(0.3)) key[random.pick(importFields)] = random.pick(texts);
    return key;
  });
  const body = { keys: random.chance(0.9) ? keys : value(random, 2), dryRun: random.chance(0.3) };
  return JSON.stringify(random.chance(0.9) ? body : { ...body, [random.pick(names)]: value(random, 1) });
}

const importFields = [
  ...['hash', 'previewStart', 'previewEnd', 'environment', 'allowedAddresses', 'rateLimit'],
  ...['externalId', 'metadata', 'createdAt', 'expiresAt'],
];

/** The bytes of a body and its Content-Type. */
export function body(random: Random): { bytes: Buffer; type: string } {
  const json = (data: unknown) => ({
    bytes: Buffer.from(JSON.stringify(data) ?? ''),
    type: 'application/json',
  });
  switch (random.int(0, 11)) {
    case 0:
      return json(value(random, 4));
    case 1:
      return {
        bytes: Buffer.from(`${'['.repeat(5000)}${']'.repeat(random.int(0, 5000))}`),
        type: 'application/json',
      };
    case 2:
      return {
        bytes: Buffer.from(`{"name":${'{"a":'.repeat(3000)}1${'}'.repeat(3001)}`),
        type: 'application/json',
      };
    case 3:
      return { bytes: Buffer.concat([Buffer.from('{"name":"'), random.bytes(20)]), type: 'application/json' };
    case 4:
      return {
        bytes: random.bytes(random.int(0, 200)),
        type: random.pick(['application/json', 'text/plain', 'x']),
      };
    case 5: {
      const bytes = Buffer.from(JSON.stringify(nearlyValid(random)), 'utf16le');
      return { bytes, type: 'application/json; charset=utf-16' };
    }
    case 6:
      return { bytes: gzipSync('{"name":"x"}'), type: 'application/json' };
    default:
      return json(nearlyValid(random));
  }
}
