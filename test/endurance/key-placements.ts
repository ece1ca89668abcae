import { requestText } from './leak-detector.ts';

/** All places in a request where a key can be sent, by mistake or on purpose. */

const json = { 'Content-Type': 'application/json' };

/** Headers with a key, including the correct one. */
export function headersWith(key: string): Record<string, string>[] {
  const values = [
    `Bearer ${key}`,
    key,
    `bearer  ${key}`,
    `Bearer\t${key}`,
    `Bearer "${key}"`,
    `Bearer <${key}>`,
    `Bearer Bearer ${key}`,
    `Bearer: ${key}`,
    `Bearer${key}`,
    `Bearer ${key} ${key}`,
    `Bearer ${key}x`,
    `Bearer ${key.slice(0, -1)}`,
    `Bearer ${key.slice(8)}`,
    `Bearer ${key.slice(0, 39)}${key.endsWith('0') ? '1' : '0'}`,
    `Basic ${Buffer.from(`${key}:`).toString('base64')}`,
    `Basic ${Buffer.from(`user:${key}`).toString('base64')}`,
    `Token ${key}`,
    `Digest username="${key}"`,
    `${key} x`,
  ];
  const names = [
    'X-API-Key',
    'Api-Key',
    'X-Soku-Key',
    'Idempotency-Key',
    'X-Soku-Workspace',
    'X-Soku-Require-Scopes',
    'User-Agent',
    'Referer',
  ].concat(
    [
      'X-Original-URI',
      'X-Forwarded-Uri',
      'X-Request-Id',
      'X-Forwarded-For',
      'Origin',
      'Accept',
      'Host',
      'Cookie',
      'Content-Type',
    ],
    ['If-None-Match', 'Range', 'Traceparent', key],
  );
  return [
    ...values.map((value) => ({ Authorization: value })),
    ...names.map((name) => ({ [name]: key })),
    { Cookie: `soku_session=${key}` },
    { Cookie: `soku_session=${key}.${Buffer.from(key).toString('base64')}` },
    { 'X-Original-URI': `/?api_key=${key}` },
    { Referer: `https://example.com/?token=${key}` },
    { 'X-Soku-Key': key, Authorization: `Bearer ${key}` },
  ];
}

/** Paths and queries with a key in them. */
export function targetsWith(key: string): string[] {
  const encoded = Buffer.from(key).toString('hex').replace(/../g, '%$&');
  return [key, encoded].flatMap((text) => [
    `/${text}`,
    `/v1/${text}`,
    `/v1/api-keys/${text}`,
    `/v1/api-keys/${text}%`,
    `/v1/api-keys/key_${text}/revoke`,
    `/v1/me?api_key=${text}`,
    `/v1/verify?access_token=${text}`,
    `/v1/verify?scope=${text}`,
    `/v1/verify?workspace=${text}&environment=${text}`,
    `/v1/api-keys?q=${text}`,
    `/v1/api-keys?cursor=${text}`,
    `/v1/api-keys?status=${text}`,
    `/v1/api-keys?${text}=1`,
    `/v1/api-keys?limit=${text}`,
    `/api/auth/${text}`,
    `/api/session?token=${text}`,
    `/setup?code=${text}`,
    `/assets/${text}.js`,
    `/docs?${text}`,
    `/openapi.json?key=${text}`,
  ]);
}

/** Bodies with a key, none of which creates or renames a key. */
export function bodiesWith(key: string): string[] {
  const object = (value: unknown) => JSON.stringify(value);
  return [
    object({ name: key }),
    object({ name: `my key ${key}` }),
    object({ name: key.slice(8) }),
    object({ name: `${key}\u0007` }),
    object({ name: 'x', scopes: [key] }),
    object({ name: 'x', scopes: key }),
    object({ name: 'x', expiresAt: key }),
    object({ name: 'x', [key]: 1 }),
    object({ name: 'x', apiKey: key }),
    object({ name: 'x', nested: { [key]: { [key]: key } } }),
    object({ name: 'x', __proto__: key, constructor: { [key]: key } }),
    object([key]),
    object(key),
    `{"name": "${key}`,
    `{"name": ${key}}`,
    `{"__proto__": {"${key}": 1}}`,
    key,
    `{"name": "x", "name": "${key}"}`,
  ];
}

/** Requests that an HTTP parser or body parser rejects, with the key at the place of the error. */
export function brokenWith(key: string): string[] {
  return [
    `${key}\r\n\r\n`,
    `GET /${key}\r\n\r\n`,
    `GET / HTTP/${key}\r\n\r\n`,
    `${key} / HTTP/1.1\r\nHost: x\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: x\r\nAuthorization Bearer ${key}\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: x\r\nAuthor\u0000ization: ${key}\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: x\r\nContent-Length: ${key}\r\n\r\n`,
    `GET / HTTP/1.1\r\nAuthorization: Bearer ${key}\r\n\r\n`,
    `POST /v1/api-keys HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${key}\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: x\r\nX-Large: ${key.repeat(500)}\r\n\r\n`,
    `GET /?${key.repeat(220)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    requestText('POST', '/v1/api-keys', { headers: json, body: `{"name":"${key.repeat(2000)}"}` }),
    requestText('POST', '/v1/api-keys', { headers: { 'Content-Type': 'text/plain' }, body: key }),
    requestText('POST', '/v1/api-keys', { headers: { 'Content-Type': `application/${key}` }, body: key }),
    requestText('POST', '/v1/api-keys', { headers: { ...json, 'Content-Encoding': key }, body: key }),
    requestText('OPTIONS', `/v1/me?key=${key}`, { headers: { Origin: `https://${key}` } }),
  ];
}
