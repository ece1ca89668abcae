import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateKey } from '@soku/key';
import { KeyFormats } from './key-formats.ts';

test('without imported prefixes, only keys of the own format can be keys', () => {
  const formats = new KeyFormats(['sk_live_'], []);
  assert.equal(formats.maxLength, 52);
  assert.ok(formats.includes(generateKey()));
  for (const token of ['', 'a', 'acme_1', generateKey().slice(1)]) assert.ok(!formats.includes(token), token);
});

test('a token with an imported prefix can be a key if a client can send it after Bearer', () => {
  const formats = new KeyFormats(['sk_live_'], ['acme_', 'pk-']);
  const long = `acme_${'x'.repeat(195)}`;
  for (const token of ['acme_', 'acme_1', 'pk-a.b~c+d/e=', long, generateKey()])
    assert.ok(formats.includes(token), token);
  for (const token of [
    '',
    '=',
    'Acme_1',
    ' acme_1',
    'acme_ 1',
    'acme_"',
    'acme_é',
    'acme_=1',
    'acme_\n',
    `${long}x`,
  ])
    assert.ok(!formats.includes(token), token);
});

test('a star stands for any prefix', () => {
  const formats = new KeyFormats(['sk_live_'], ['*']);
  for (const token of ['a', '1', 'x'.repeat(200)]) assert.ok(formats.includes(token), token);
  for (const token of ['', '==', 'a b', 'x'.repeat(201)]) assert.ok(!formats.includes(token), token);
});

test('a token that resembles a Soku key gets an explanation, and any other is unknown', () => {
  const formats = new KeyFormats(['sk_live_'], ['*']);
  assert.equal(formats.explainUnknown(generateKey()).code, 'unknown_key');
  assert.equal(formats.explainUnknown('sk_live_123').code, 'malformed_key');
  assert.equal(formats.explainUnknown('sk_test_123').code, 'unknown_key');
});
