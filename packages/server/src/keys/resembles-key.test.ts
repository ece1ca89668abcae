import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateKey } from '@soku/key';
import { resemblesKey } from './resembles-key.ts';

const prefixes = ['sk_live_', 'old_'];
const key = generateKey();
const body = key.slice('sk_live_'.length);
const basic = (credentials: string) => `Basic ${Buffer.from(credentials).toString('base64')}`;

test('anything that was meant to be a Soku key resembles one', () => {
  const wrong = body.endsWith('0') ? '1' : '0';
  for (const field of [
    `Bearer ${key}`,
    `bearer  ${key}`,
    key,
    `Bearer "${key}"`,
    `Bearer <${key}>`,
    `Bearer Bearer ${key}`,
    `Bearer:${key}`,
    `Token ${key}`,
    `Bearer API_KEY=${key}`,
    `Bearer ${key.slice(0, -1)}${wrong}`,
    `Bearer ${key.slice(0, 20)}`,
    `Bearer ${key.toUpperCase()}`,
    'Bearer sk_live_',
    'Bearer old_x',
    `Bearer ${body}`,
    `Bearer sk_${body}`,
    `Bearer ${key.slice(0, 11)}...${key.slice(-3)}`,
    `Bearer \u2022\u2022\u2022${key.slice(-3)}`,
    `Basic ${key}`,
    basic(`${key}:`),
    basic(`user:${key}`),
    basic(`:${body}`),
  ]) {
    assert.equal(resemblesKey(field, prefixes), true, field);
  }
});

test('credentials for other services do not resemble a Soku key', () => {
  // The example in RFC 7519 section 3.1, and one with longer parts.
  const jwt =
    'eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
  for (const field of [
    '',
    'Bearer',
    'Bearer eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2ln',
    `Bearer ${jwt}`,
    basic('admin:secret'),
    basic('admin:aB3dE5gH7jK9mN1pQ3sT5vW7xY9zA2cD'),
    basic(''),
    'Basic !!!',
    'Negotiate YIIJvwYGKwYBBQUCoIIJszCCCa+gJDAiBgkqhkiC9xIBAgIGCSqGSIb3EgECAgYKKwYBBAGCNwICCg==',
    'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"',
    'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request',
    `Bearer ${'0123456789abcdef'.repeat(2)}`,
    'Bearer ghp_16C7e42F292c6912E7710c838347Ae178B4a',
    'Bearer undefined',
  ]) {
    assert.equal(resemblesKey(field, prefixes), false, field);
  }
});
