import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorCodeNames, errorCodes, isErrorCode } from '@soku/contract/error-codes';
import fc from 'fast-check';
import { errorBody, errorHeaders } from './errors.ts';

const codes = fc.constantFrom(...errorCodeNames);
const messages = fc.string({ unit: 'binary' });

test('a 401 and a missing scope have a challenge, and no other error has one', () => {
  for (const code of errorCodeNames) {
    const has = 'www-authenticate' in errorHeaders({ code, message: 'x' });
    assert.equal(has, errorCodes[code].status === 401 || code === 'insufficient_scope', code);
  }
});

test('the challenge conforms to RFC 6750 section 3, whatever the message', () => {
  fc.assert(
    fc.property(codes, messages, (code, message) => {
      const challenge = errorHeaders({ code, message })['www-authenticate'] ?? 'Bearer realm="soku"';
      assert.match(
        challenge,
        /^Bearer realm="soku"(, error="[a-z_]+", error_description="[\x20-\x21\x23-\x5b\x5d-\x7e]*")?$/,
      );
    }),
  );
});

test('the required scope is the last parameter of the challenge', () => {
  const headers = errorHeaders({ code: 'insufficient_scope', message: 'No.', scope: 'keys:read' });
  assert.equal(
    headers['www-authenticate'],
    'Bearer realm="soku", error="insufficient_scope", error_description="No.", scope="keys:read"',
  );
});

test('no error response is cached, and only a 503 has Retry-After', () => {
  for (const code of errorCodeNames) {
    const headers = errorHeaders({ code, message: 'x' });
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal('retry-after' in headers, errorCodes[code].status === 503, code);
  }
});

test('the envelope contains only the given fields', () => {
  const now = Date.UTC(2030, 0, 31, 12, 0, 0, 7);
  assert.deepEqual(errorBody({ code: 'not_found', message: 'Nothing.' }, 'req_1', now), {
    error: {
      type: 'invalid_request_error',
      code: 'not_found',
      message: 'Nothing.',
      timestamp: '2030-01-31T12:00:00.007Z',
      requestId: 'req_1',
    },
  });
  const details = [{ path: 'name', problem: 'is empty' }];
  const scope = 'keys:read';
  const { error } = errorBody({ code: 'invalid_request', message: 'x', details, scope }, 'req_2', now);
  assert.deepEqual(error.details, details);
  assert.ok(!('scope' in error));
});

test('inherited property names of objects are not codes', () => {
  for (const name of ['toString', '__proto__', 'constructor', '']) assert.equal(isErrorCode(name), false);
  for (const code of errorCodeNames) assert.equal(isErrorCode(code), true);
});

test('each status has one type', () => {
  const types = {
    400: 'invalid_request_error',
    401: 'authentication_error',
    403: 'permission_error',
    429: 'rate_limit_error',
  };
  for (const code of errorCodeNames) {
    const { status, type } = errorCodes[code];
    const expected = new Map(Object.entries(types)).get(String(status));
    assert.equal(type, expected ?? (status < 500 ? 'invalid_request_error' : 'api_error'), code);
  }
});
