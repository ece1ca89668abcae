import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { runCount } from '../../../../test/support/run-count.ts';
import { canonicalName, isProxyField, mayBeProxyField } from './proxy-fields.ts';

test('the check of the first letter passes every proxy field, and excludes most other fields', () => {
  const known = [
    ...['CF-Connecting-IP', 'Client-IP', 'DO-Connecting-IP', 'Fly_Client_IP', 'Forwarded', 'Remote-User'],
    ...['True-Client-IP', 'X-Real-IP', 'X_Forwarded_For', 'X-Envoy-External-Address', 'x-original-url'],
  ];
  const name = fc.oneof(fc.mixedCase(fc.constantFrom(...known)), fc.string({ unit: 'binary' }));
  fc.assert(
    fc.property(name, (received) => {
      if (isProxyField(canonicalName(received))) assert.ok(mayBeProxyField(received), received);
    }),
    { numRuns: runCount(500, 100_000) },
  );
  for (const received of known) assert.ok(isProxyField(canonicalName(received)), received);
  for (const received of ['Host', 'User-Agent', 'accept', 'AUTHORIZATION', ''])
    assert.equal(mayBeProxyField(received), received === '', received);
});
