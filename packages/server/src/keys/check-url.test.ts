import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateKey } from '@soku/key';
import fc from 'fast-check';
import { newId } from '../ids.ts';
import { findUrlProblem } from './check-url.ts';

const prefixes = ['acme_', 'sk_live_', 'key_', 'y_'];

/** Percent-encodes each character as often as its entry in the list specifies. */
function encode(text: string, times: readonly number[]): string {
  const encoded = Array.from(text, (character, at) => {
    const hex = character.charCodeAt(0).toString(16);
    const count = times[at % times.length] ?? 0;
    return count === 0 ? character : `%${'25'.repeat(count - 1)}${hex}`;
  });
  return encoded.join('');
}

const times = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 7 });
const aKey = fc.constantFrom('acme_', 'sk_live_').map((prefix) => generateKey({ prefix }));

test('a key is found anywhere in the URL of a management call, however often it was encoded', () => {
  const places: ((key: string) => string)[] = [
    (key) => `/v1/api-keys?q=${key}`,
    (key) => `/v1/api-keys?status=all&q=x+${key}+y&limit=1`,
    (key) => `/v1/api-keys?${key}=1`,
    (key) => `/v1/api-keys?${key}`,
    (key) => `/v1/api-keys/${key}`,
    (key) => `/v1/api-keys/${key}/revoke`,
    (key) => `/v1/no-such-call?a=${key}`,
    (key) => `/api/session?x=${key}`,
    (key) => `/%761/api-keys?q=${key}`,
    (key) => `http://localhost:3000/v1/api-keys?q=${key}`,
  ];
  fc.assert(
    fc.property(aKey, times, fc.constantFrom(...places), (key, often, place) => {
      const found = findUrlProblem(place(encode(key, often)), prefixes);
      assert.equal(found?.code, 'invalid_request');
      assert.match(found.message, /hash of GET \/v1\/api-keys.*Authorization: Bearer/);
      assert.ok(!JSON.stringify(found).includes(key.slice(-10)));
    }),
  );
});

test('the error names the parameter, unless its name contains the key', () => {
  const key = generateKey();
  const path = (url: string) => findUrlProblem(url, prefixes)?.details?.[0]?.path;
  assert.equal(path(`/v1/api-keys?limit=1&q=${key}`), 'q');
  assert.equal(path(`/v1/api-keys?${key}=q`), 'query');
  assert.equal(path(`/v1/api-keys/${key}?q=1`), 'path');
  assert.equal(path(`/v1/api-keys?${'a'.repeat(500)}=${key}`), 'query');
});

test('a key without its prefix, a truncated one and a mistyped one are also rejected', () => {
  const key = generateKey();
  for (const text of [
    key.slice(8),
    key.slice(0, 36),
    `${key.slice(0, -1)}-`,
    key.replace('sk_live_', 'acme_'),
    'sk_live_q7HkZ2mNv8RtYx3LpWc5Bd9Jf',
    'acme_q7HkZ2mNv8Rt...',
  ]) {
    assert.notEqual(findUrlProblem(`/v1/api-keys?q=${text}`, prefixes), null, text.length.toString());
  }
});

test('previews, ids, hashes, cursors and other URLs are allowed with any prefix', () => {
  const id = newId('key_', 1_700_000_000_000);
  const key = generateKey();
  for (const url of [
    `/v1/api-keys/${id}`,
    `/v1/api-keys/${id}/usage?range=7d`,
    `/v1/api-keys?cursor=${id}&q=${id}`,
    `/v1/api-keys?q=sk_live_${key.slice(8, 11)}...${key.slice(-3)}`,
    `/v1/api-keys?hash=${'0123456789abcdef'.repeat(4)}`,
    `/v1/api-keys?hash=${'0123456789ABCDEF'.repeat(4)}`,
    '/v1/api-keys?q=Production%20Server',
    '/v1/api-keys?q=%F0%9F%9A%80%25%',
    '/v1/api-keys?q=100%',
    '/v1/verify?x=%ff',
    '/v1/api-keys',
    // Verification has a separate code for a key in the URL.
    `/v1/me?api_key=${key}`,
    `/v1/verify?token=${key}`,
    `/v1/verify/files?x=${key}`,
    `/settings/api?q=${key}`,
  ]) {
    assert.equal(findUrlProblem(url, prefixes), null, url);
  }
});

test('a query that is not UTF-8 is rejected in any parameter', () => {
  for (const query of ['q=%ff', 'q=caf%E9', 'q=%ED%A0%80', '%C3=1', 'status=all&x=a%F0%9F%9A']) {
    assert.match(findUrlProblem(`/v1/api-keys?${query}`, prefixes)?.message ?? '', /not UTF-8/, query);
  }
});
