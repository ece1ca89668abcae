import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keys, keysOf, texts } from '../../../test/support/arbitrary-keys.ts';
import { alphabet } from './format.ts';
import { redactKeys } from './redact.ts';

const keyId = 'key_01h2xcejqtf2nbrexx3vqjhp41';

test('a key is redacted with its prefix, and the text around it stays', () => {
  fc.assert(
    fc.property(keys, (key) => {
      assert.equal(
        redactKeys(`Authorization: Bearer ${key}, sent`),
        'Authorization: Bearer [redacted], sent',
      );
      assert.equal(redactKeys(`{"apiKey":"${key}"}`), '{"apiKey":"[redacted]"}');
      assert.equal(redactKeys(`/v1/me?key=${key}&a=1`), '/v1/me?key=[redacted]&a=1');
    }),
  );
});

test('a key is redacted with any prefix or none, without its checksum, and in one case', () => {
  fc.assert(
    fc.property(keysOf(alphabet, 'acme_2_'), (key) => {
      const body = key.slice(7);
      for (const form of [
        key,
        body,
        body.slice(0, 26),
        key.toLowerCase(),
        key.toUpperCase(),
        `ghp_${body}`,
      ]) {
        assert.equal(redactKeys(`<${form}>`), '<[redacted]>');
      }
    }),
  );
});

test('a percent-encoded key is redacted, however many characters are encoded and how often', () => {
  const encodings = [
    (character: string) => character,
    (character: string) => `%${character.charCodeAt(0).toString(16)}`,
    (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
    (character: string) => `%25${character.charCodeAt(0).toString(16)}`,
    (character: string) => `%2525${character.charCodeAt(0).toString(16)}`,
  ];
  fc.assert(
    fc.property(
      keys,
      fc.array(fc.constantFrom(...encodings), { minLength: 40, maxLength: 40 }),
      (key, choice) => {
        const encoded = [...key].map((character, at) => choice[at]?.(character) ?? character).join('');
        assert.equal(redactKeys(`/v1/me?key=${encoded}&a=1`), '/v1/me?key=[redacted]&a=1');
      },
    ),
  );
});

test('no run of 26 key characters remains in any text', () => {
  fc.assert(
    fc.property(texts, keys, texts, (before, key, after) => {
      for (const glue of ['', '%', '%2', '_', '\\u005f']) {
        const redacted = redactKeys(before + glue + key.slice(8, 34) + after);
        assert.doesNotMatch(redacted, /[0-9A-Za-z]{26}/);
        assert.equal(redactKeys(redacted), redacted);
      }
    }),
  );
});

test('ids, previews, UUIDs, dates and words stay', () => {
  const text = `GET /v1/api-keys/${keyId} 200 sk_live_abc...xyz 123e4567-e89b-12d3-a456-426614174000 2026-01-31T12:00:00.000Z a%20b`;
  assert.equal(redactKeys(text), text);
  for (const kind of ['sec', 'usr', 'acc', 'ws', 'evt']) {
    const id = keyId.replace('key', kind);
    assert.equal(redactKeys(`{"id":"${id}"}`), `{"id":"${id}"}`);
  }
});

test('an id with additional characters is redacted', () => {
  for (const text of [`${keyId}0`, keyId.toUpperCase(), `x${keyId}`, `bus_${keyId.slice(4)}`]) {
    assert.equal(redactKeys(text), '[redacted]');
  }
});

test('a long text is read in one pass', { timeout: 20_000 }, () => {
  for (const part of ['%25', '%', 'a_', '_', 'a', '%5f', 'a%']) {
    redactKeys(part.repeat(200_000));
    redactKeys(`${part.repeat(200_000)}-`);
  }
});
