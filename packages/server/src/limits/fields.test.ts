import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitFields } from './fields.ts';

test('the fields are those of the IETF draft and the X-RateLimit ones', () => {
  const state = { policy: 'key', limit: 1000, remaining: 942, resetSeconds: 17, passed: true } as const;
  assert.deepEqual(limitFields(state), {
    'ratelimit-policy': '"key";q=1000;w=60',
    ratelimit: '"key";r=942;t=17',
    'x-ratelimit-limit': '1000',
    'x-ratelimit-remaining': '942',
    'x-ratelimit-reset': '17',
  });
});

test('the address policy has its own name', () => {
  const state = { policy: 'address', limit: 60, remaining: 0, resetSeconds: 1, passed: false } as const;
  const fields = limitFields(state);
  assert.equal(fields['ratelimit-policy'], '"address";q=60;w=60');
  assert.equal(fields.ratelimit, '"address";r=0;t=1');
});
