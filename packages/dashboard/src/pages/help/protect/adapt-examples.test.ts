/** The examples with another URL differ from the tested ones only where the URL needs it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  adaptCaddyExample,
  adaptEnvoyExample,
  adaptHaproxyExample,
  adaptNginxExample,
  gatewayUrl,
  parseSokuUrl,
} from './adapt-examples.ts';

const examples = {
  'nginx/soku.conf': adaptNginxExample,
  'haproxy/soku.lua': adaptHaproxyExample,
  'caddy/Caddyfile': adaptCaddyExample,
  'envoy/envoy.yaml': adaptEnvoyExample,
};

const read = (file: string) =>
  readFileSync(new URL(`../../../../../../examples/${file}`, import.meta.url), 'utf8');

/** The lines that are only in the second text. */
function added(before: string, after: string): string[] {
  const known = new Set(before.split('\n'));
  return after.split('\n').filter((line) => !known.has(line));
}

for (const [file, adapt] of Object.entries(examples)) {
  test(`${file} is unchanged for the default URL`, () => {
    assert.equal(adapt(read(file), parseSokuUrl('http://localhost:3000')), read(file));
  });

  test(`${file} differs only in the address for another http URL`, () => {
    const text = adapt(read(file), parseSokuUrl('http://10.0.0.7:8000'));
    assert.notEqual(text, read(file));
    const restored = text
      .replaceAll('10.0.0.7:8000', '127.0.0.1:3000')
      .replace('address: 10.0.0.7, port_value: 8000', 'address: 127.0.0.1, port_value: 3000');
    assert.equal(restored, read(file));
  });

  test(`${file} calls an https URL by its name, and nothing over http`, () => {
    const text = adapt(read(file), parseSokuUrl('https://keys.example.com'));
    const lines = added(read(file), text);
    assert.ok(
      lines.some((line) => line.includes('keys.example.com:443') || line.includes('port_value: 443')),
    );
    assert.ok(lines.some((line) => line.includes('https://')));
    assert.doesNotMatch(text, /3000|http:\/\/(soku|127\.0\.0\.1)/);
  });

  test(`${file} calls a URL with a path below that path, and differs nowhere else`, () => {
    for (const origin of ['http://10.0.0.7:8000', 'https://example.com']) {
      const text = adapt(read(file), parseSokuUrl(`${origin}/tools/soku`));
      assert.match(text, /\/tools\/soku\/v1\/verify/);
      assert.equal(text.replace('/tools/soku', ''), adapt(read(file), parseSokuUrl(origin)));
    }
  });
}

test('nginx verifies the certificate of an https URL, which it does not do by default', () => {
  const text = adaptNginxExample(read('nginx/soku.conf'), parseSokuUrl('https://keys.example.com'));
  assert.match(text, /proxy_ssl_verify on;/);
  assert.match(text, /proxy_ssl_name keys\.example\.com;/);
});

test('Envoy resolves a name, and verifies its certificate', () => {
  const text = adaptEnvoyExample(read('envoy/envoy.yaml'), parseSokuUrl('https://keys.example.com:8443'));
  assert.match(text, /type: STRICT_DNS/);
  assert.match(text, /port_value: 8443/);
  assert.match(text, /exact: keys\.example\.com/);
});

test('the gateway has the host of the deployment', () => {
  assert.equal(gatewayUrl('https://keys.example.com'), 'http://keys.example.com:3001');
  assert.equal(gatewayUrl('http://localhost:3000'), 'http://localhost:3001');
});
