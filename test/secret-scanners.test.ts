/** The rules for secret scanners match keys in typical files, and nothing else. The scanners cannot run here. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { formatPreview, generateKey, parseKey } from '@soku/key';
import { codeBlocks } from './support/markdown.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = 'docs/secret-scanners.md';
const prefix = 'acme_live_';

const rules = [
  { file: 'examples/secret-scanners/gitleaks.toml', language: 'toml', regex: /^regex = '''(.+)'''$/m },
  { file: 'examples/secret-scanners/trufflehog.yaml', language: 'yaml', regex: /^ {6}key: '(.+)'$/m },
];

/** gitleaks' stripe-access-token, TruffleHog's Stripe detector and detect-secrets' StripeDetector. */
const stripe = [
  /\b((?:sk|rk)_(?:test|live|prod)_[a-zA-Z0-9]{10,99})(?:[`'"\s;]|\\[nr]|$)/,
  /\b([rs]k_live_[a-zA-Z0-9]{20,247})\b/,
  /(?:r|s)k_live_[0-9a-zA-Z]{24}/,
];

const places = (key: string) => [
  key,
  `SOKU_API_KEY=${key}\n`,
  `{"key":"${key}"}`,
  `api_key: '${key}' # production`,
  `curl -H "Authorization: Bearer ${key}" https://api.example.com`,
  `const a=1,k=\`${key}\`;f(k)`,
  `https://api.example.com/?api_key=${key}&page=2`,
  `<code>${key}</code>`,
];

for (const { file, language, regex } of rules) {
  const text = readFileSync(join(root, file), 'utf8');
  // Both use RE2, whose syntax these expressions share with JavaScript.
  const rule = new RegExp(regex.exec(text)?.[1] ?? '(?!)');

  test(`${page} shows ${file} unchanged`, () => {
    assert.deepEqual(codeBlocks(page, `${language} file=${file}`), [text]);
  });

  test(`${file} matches keys in typical places`, () => {
    for (let i = 0; i < 200; i++) {
      const key = generateKey({ prefix });
      for (const place of places(key)) assert.equal(rule.exec(place)?.[1], key, place);
    }
  });

  test(`${file} does not match texts that are not keys`, () => {
    const key = generateKey({ prefix });
    const parts = parseKey(key, [prefix]);
    assert.ok(parts !== null);
    for (const other of [
      formatPreview(parts),
      key.slice(0, -1),
      `${key}x`,
      prefix,
      generateKey({ prefix: 'other_' }),
    ]) {
      for (const place of places(other)) assert.equal(rule.exec(place), null, place);
    }
  });
}

test('Stripe rules of scanners match keys with the default prefix, but not with another prefix', () => {
  for (const rule of stripe) {
    assert.match(`KEY=${generateKey()}`, rule);
    assert.doesNotMatch(`KEY=${generateKey({ prefix })}`, rule);
  }
});
