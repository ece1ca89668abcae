import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { errorCodes } from '@soku/contract/error-codes';
import { generateKey } from '@soku/key';
import fc from 'fast-check';
import { runCount } from '../../../../test/support/run-count.ts';
import { type Credentials, readCredentials } from './credentials.ts';
import { readFields } from './request-fields.ts';

const prefixes = ['sk_live_', 'acme_'];
const [random, checksum] = [26, 6];

/**
 * Valid keys whose random part uses only characters of which no message has four in a row. The test controls the
 * random bytes of generateKey.
 */
const keys = fc
  .tuple(
    fc.constantFrom(...prefixes),
    fc.array(fc.constantFrom(...Buffer.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 26, 33, 35])), {
      minLength: 32,
      maxLength: 32,
    }),
  )
  .map(([prefix, bytes]) =>
    generateKey({ prefix, random: (count) => Buffer.from(bytes).subarray(0, count) }),
  );

/** Every run of four characters of a key with at least one random character. */
function secretRuns(key: string): string[] {
  const body = key.slice(-(random + checksum));
  return Array.from({ length: random }, (_, i) => body.slice(i, i + 4));
}

interface Sent {
  /** Authorization headers. */
  values: string[];
  /** Other headers. */
  others: Record<string, string>;
  target: string;
}

function read({ values, others, target }: Sent): Credentials {
  const request = new IncomingMessage(new Socket());
  request.headers = others;
  request.rawHeaders = values.flatMap((value) => ['Authorization', value]);
  return readCredentials(readFields(request.rawHeaders), request, () => [target], prefixes);
}

/** A text that contains all or part of the key, plain or modified. */
function textWith(key: string): fc.Arbitrary<string> {
  const piece = fc.oneof(
    fc.constantFrom(
      key,
      key.slice(-32),
      `${key.slice(0, 11)}...${key.slice(-3)}`,
      Buffer.from(key).toString('base64'),
    ),
    fc.tuple(fc.nat(40), fc.nat(40)).map(([from, to]) => key.slice(from, to)),
    fc.constantFrom('Bearer', 'bearer', 'BEARER', 'Basic', 'Token', 'Digest', 'ApiKey', 'Negotiate'),
    fc.constantFrom(
      ' ',
      ' ',
      '  ',
      '\t',
      '"',
      "'",
      '<',
      '>',
      ':',
      '=',
      ',',
      '\u00a0',
      '\u00ff',
      'Bearer ',
      '',
    ),
    fc.string({ maxLength: 8 }),
    fc.string({ unit: 'binary', maxLength: 8 }),
  );
  return fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
}

/** A request with one key in any number of places. */
const sent: fc.Arbitrary<{ key: string; request: Sent }> = keys.chain((key) =>
  fc.record({
    key: fc.constant(key),
    request: fc.record({
      values: fc.array(
        fc.oneof(
          textWith(key),
          textWith(key).map((text) => `Bearer ${text}`),
        ),
        { maxLength: 3 },
      ),
      others: fc.dictionary(
        fc.constantFrom('x-api-key', 'api-key', 'x-auth-token', 'x-soku-key', 'cookie', 'user-agent', 'host'),
        textWith(key),
        { maxKeys: 3 },
      ),
      target: fc.oneof(
        textWith(key).map((text) => `/v1/me?api_key=${text}`),
        textWith(key).map(
          (text) => `/v1/me?${text}&access_token=${encodeURIComponent(Buffer.from(text).toString())}`,
        ),
        textWith(key),
        fc.constant('/v1/me'),
      ),
    }),
  }),
);

const runs = { numRuns: runCount(500, 20_000) };

test('a token is accepted only from one header with "Bearer", one space and no other whitespace', () => {
  let tokens = 0;
  fc.assert(
    fc.property(sent, ({ request }) => {
      const credentials = read(request);
      if ('code' in credentials) return;
      tokens += 1;
      assert.equal(request.values.length, 1);
      const [value = ''] = request.values;
      assert.equal(value.slice(0, 7).toLowerCase(), 'bearer ');
      assert.equal(credentials.token, value.slice(7));
      assert.match(credentials.token, /^\S+$/);
    }),
    runs,
  );
  assert.ok(tokens > 10, `only ${tokens} tokens were read`);
});

test('the text after "Bearer " is the token if it is one word without quotes or brackets', () => {
  const scheme = fc.constantFrom('Bearer', 'bearer', 'BEARER', 'bEaReR');
  const word = fc
    .oneof(keys, fc.string({ unit: 'binary', minLength: 1 }))
    .filter((text) => /^[^\s"'<>]+$/.test(text));
  fc.assert(
    fc.property(scheme, word, (name, token) => {
      const credentials = read({
        values: [`${name} ${token}`],
        others: { 'x-api-key': 'x' },
        target: '/?key=sk_live_',
      });
      assert.deepEqual(credentials, { token });
    }),
    runs,
  );
});

test('a rejection is a 401, and its message repeats no four characters of the key that was sent', () => {
  fc.assert(
    fc.property(sent, ({ key, request }) => {
      const credentials = read(request);
      if (!('code' in credentials)) return;
      assert.equal(errorCodes[credentials.code].status, 401);
      const repeated = secretRuns(key).filter((run) => credentials.message.includes(run));
      assert.deepEqual(repeated, [], credentials.message);
    }),
    runs,
  );
});

test('a message is printable ASCII, so it is valid in WWW-Authenticate', () => {
  fc.assert(
    fc.property(sent, ({ request }) => {
      const credentials = read(request);
      if ('code' in credentials) assert.match(credentials.message, /^[\x20-\x7e]+$/);
    }),
    runs,
  );
});

test('two Authorization headers are rejected, even if they are equal', () => {
  fc.assert(
    fc.property(keys.chain(textWith), keys, (value, key) => {
      for (const values of [
        [value, value],
        [`Bearer ${key}`, `Bearer ${key}`],
        [value, `Bearer ${key}`],
      ]) {
        const credentials = read({ values, others: {}, target: '/' });
        assert.equal('code' in credentials && credentials.code, 'malformed_authorization');
      }
    }),
    runs,
  );
});
