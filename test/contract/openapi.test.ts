import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { lintFromString, loadConfig } from '@redocly/openapi-core';
import { Validator } from '@seriousme/openapi-schema-validator';
import { type ErrorCode, errorCodeNames, errorCodes, helpPath } from '@soku/contract/error-codes';
import { z } from 'zod';
import { assertProblem } from '../support/contract.ts';
import { callWithFields } from '../support/http.ts';
import { Specification } from '../support/openapi.ts';
import { call } from '../support/person.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const specification = await Specification.of(server);

const promised = [
  'DELETE /v1/webhooks/{id}',
  'GET /healthz',
  'GET /metrics',
  'GET /readyz',
  'GET /v1/api-keys',
  'GET /v1/api-keys/{id}',
  'GET /v1/api-keys/{id}/descendants',
  'GET /v1/api-keys/{id}/usage',
  'GET /v1/api-keys/{id}/usage.csv',
  'GET /v1/api-keys/{id}/usage/history',
  'GET /v1/audit',
  'GET /v1/audit/export',
  'GET /v1/hygiene',
  'GET /v1/me',
  'GET /v1/nodes',
  'GET /v1/scopes',
  'GET /v1/usage',
  'GET /v1/usage.csv',
  'GET /v1/usage/history',
  'GET /v1/verify',
  'GET /v1/webhooks',
  'GET /v1/webhooks/{id}/deliveries',
  'GET /v1/workspace',
  'PATCH /v1/api-keys/{id}',
  'PATCH /v1/webhooks/{id}',
  'PATCH /v1/workspace',
  'POST /v1/api-keys',
  'POST /v1/api-keys/import',
  'POST /v1/api-keys/revoke',
  'POST /v1/api-keys/self/revoke',
  'POST /v1/api-keys/{id}/revoke',
  'POST /v1/api-keys/{id}/rotate',
  'POST /v1/api-keys/{id}/secrets/{secretId}/retire',
  'POST /v1/leaks/github',
  'POST /v1/verify',
  'POST /v1/webhooks',
  'POST /v1/webhooks/{id}/deliveries/{deliveryId}/redeliver',
  'POST /v1/webhooks/{id}/rotate-secret',
  'POST /v1/webhooks/{id}/test',
  'PUT /v1/scopes',
];

const describedSchema = z.looseObject({
  info: z.looseObject({ contact: z.looseObject({ url: z.string() }) }),
  paths: z.record(z.string(), z.record(z.string(), z.looseObject({ description: z.string().optional() }))),
});

/** The part of the schema of an error response that lists its codes. */
const errorResponse = z.looseObject({
  'application/json': z.looseObject({
    schema: z.looseObject({
      properties: z.looseObject({
        error: z.looseObject({
          properties: z.looseObject({ code: z.looseObject({ enum: z.array(z.string()) }) }),
        }),
      }),
    }),
  }),
});

/** Every code in the document, with the status under which it is listed. */
function documentedCodes(): { code: string; status: number; operation: string }[] {
  return specification.operations.flatMap(({ method, path, responses }) =>
    Object.entries(responses).flatMap(([status, { content }]) => {
      const parsed = errorResponse.safeParse(content);
      if (!parsed.success) return [];
      const { properties } = parsed.data['application/json'].schema.properties.error;
      return properties.code.enum.map((code) => ({
        code,
        status: Number(status),
        operation: `${method} ${path}`,
      }));
    }),
  );
}

test('the document is valid OpenAPI 3.1', async () => {
  assert.equal(specification.document.openapi, '3.1.0');
  const validator = new Validator();
  const result = await validator.validate(structuredClone(specification.document));
  assert.deepEqual(result, { valid: true });
  assert.equal(validator.version, '3.1');
});

test('the document passes the recommended rules of Redocly', async () => {
  const configPath = fileURLToPath(new URL('../../redocly.yaml', import.meta.url));
  const problems = await lintFromString({
    source: JSON.stringify(specification.document),
    absoluteRef: `${server.url}/openapi.json`,
    config: await loadConfig({ configPath }),
  });
  const found = problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer]);
  assert.deepEqual(found, []);
});

// Spectral itself is too large for the suite: 156 packages, one with an install script.
test('the document follows the recommended rules of Spectral that Redocly lacks', () => {
  const { info, paths } = describedSchema.parse(specification.document);
  assert.match(info.contact.url, /^http.+\/help\/api-troubleshooting$/);
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, { description = '' }] of Object.entries(methods)) {
      assert.ok(description.length > 10, `${method} ${path} has a description`);
    }
  }
});

/** The names of the headers that the document declares for a response, in lower case. */
function headersOf(operation: string, status: number): string[] {
  const [method = '', path = ''] = operation.split(' ');
  const response = specification.find(method, path)?.responses[status];
  assert.ok(response, `${operation} documents ${status}`);
  return Object.keys(response.headers).map((name) => name.toLowerCase());
}

test('each response declares the headers that it can have', () => {
  const limits = [
    'ratelimit',
    'ratelimit-policy',
    'x-ratelimit-limit',
    'x-ratelimit-remaining',
    'x-ratelimit-reset',
  ];
  const names = ['key-id', 'workspace-id', 'key-name', 'scopes', 'environment', 'external-id'];
  const identity = names.map((name) => `x-soku-${name}`);
  const proxy = ['x-soku-status', 'x-soku-error'];
  const expected = [
    ['GET /healthz', 200, []],
    ['GET /readyz', 503, []],
    ['GET /v1/nodes', 404, []],
    ['GET /v1/nodes', 429, ['retry-after', ...limits]],
    ['GET /v1/me', 200, limits],
    ['GET /v1/me', 401, ['www-authenticate', ...limits]],
    ['GET /v1/me', 503, ['retry-after', ...limits]],
    ['POST /v1/api-keys', 201, limits],
    ['POST /v1/api-keys', 403, ['www-authenticate', ...limits]],
    ['PATCH /v1/workspace', 429, ['retry-after', ...limits]],
    ['GET /v1/verify', 204, [...limits, ...identity]],
    ['GET /v1/verify', 401, ['www-authenticate', ...limits, ...proxy]],
    ['POST /v1/verify', 200, []],
    ['POST /v1/verify', 429, ['retry-after', ...limits]],
  ] as const;
  for (const [operation, status, own] of expected) {
    const declared = headersOf(operation, status).sort();
    assert.deepEqual(declared, ['x-request-id', ...own].sort(), `${operation} ${status}`);
  }
});

test('the document describes exactly the promised operations', () => {
  const documented = specification.operations.map(({ method, path }) => `${method} ${path}`);
  assert.deepEqual(documented.sort(), promised);
});

test('a documented path with another method is not found', async () => {
  const id = `key_${'0'.repeat(26)}`;
  for (const path of new Set(specification.operations.map((operation) => operation.path))) {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
      if (specification.find(method, path) !== undefined) continue;
      const response = await callWithFields(server.url + path.replace('{id}', id), { method });
      assertProblem(response, 'not_found');
    }
  }
});

test('an undocumented path below /v1 is not found', async () => {
  const id = `key_${'0'.repeat(26)}`;
  const others = [
    ['GET', '/v1'],
    ['GET', '/v1/'],
    ['GET', '/v1/keys'],
    ['GET', '/v1/me/'],
    ['GET', '/V1/me'],
    ['GET', '/v1//me'],
    ['DELETE', `/v1/api-keys/${id}`],
    ['PUT', `/v1/api-keys/${id}`],
    ['GET', `/v1/api-keys/${id}/revoke`],
    ['PUT', '/v1/verify'],
  ] as const;
  for (const [method, path] of others) {
    assertProblem(await callWithFields(server.url + path, { method }), 'not_found');
  }
});

/** The gateway returns these on its own port, where every path belongs to the upstream. */
const gatewayCodes: ErrorCode[] = ['bad_gateway', 'method_not_allowed'];

/** Only sign-in returns it. The document omits the account routes, which may change with the dashboard. */
const dashboardCodes: ErrorCode[] = ['server_busy'];

test('the document has every code of the table with its status, and no others', () => {
  const documented = documentedCodes();
  const expected = errorCodeNames.filter((code) => ![...gatewayCodes, ...dashboardCodes].includes(code));
  assert.deepEqual([...new Set(documented.map(({ code }) => code))].sort(), expected.sort());
  for (const { code, status, operation } of documented) {
    const row = new Map<string, { status: number }>(Object.entries(errorCodes)).get(code);
    assert.equal(status, row?.status, `${code} of ${operation}`);
  }
});

/** They are for operators and for GitHub, and take no key. */
const withoutKey = ['GET /v1/nodes', 'POST /v1/leaks/github'];

test('every operation that takes a key documents every rejection of a key', () => {
  const documented = documentedCodes();
  const credentials: ErrorCode[] = errorCodeNames.filter((code) => errorCodes[code].status === 401);
  for (const operation of promised.filter((name) => name.includes('/v1/') && !withoutKey.includes(name))) {
    const own = documented.filter((entry) => entry.operation === operation).map(({ code }) => code);
    const missing = [...credentials, 'verification_unavailable'].filter((code) => !own.includes(code));
    assert.deepEqual(missing, [], operation);
  }
});

test('every code has a title, a cause, a remedy and an anchor on the help page', async () => {
  for (const code of errorCodeNames) {
    const { title, cause, remedy } = errorCodes[code];
    for (const text of [title, cause, remedy]) assert.ok(text.length > 8, `${code}: "${text}"`);
    assert.equal(helpPath(code), `/help/api-troubleshooting#${code}`);
  }
  const page = await call(`${server.url}/help/api-troubleshooting`);
  assert.equal(page.status, 200);
  assert.match(page.headers.get('content-type') ?? '', /^text\/html/);
});

test('docs/errors.md has one section for each code, and no others', () => {
  const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  const headings = [...page.matchAll(/^## (.+)$/gm)].map((match) => match[1]);
  assert.deepEqual(headings, errorCodeNames);
});

test('anyone can read the document as JSON, and it contains no routes of the dashboard', async () => {
  const response = await call(`${server.url}/openapi.json`);
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
  assert.doesNotMatch(response.text, /\/api\/(auth|setup|session)/);
});
