import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorSchema } from '@soku/contract/errors';
import type { Program } from '../support/debian.ts';
import type { HttpResponse } from '../support/person.ts';
import { type ProxyFixture, ScriptedSokuFixture } from './fixture.ts';
import type { Recipe } from './proxy.ts';

/** Asserts the response for a key that cannot be checked. */
function assertUnavailable(response: HttpResponse): void {
  const { error } = errorSchema.strict().parse(response.body);
  assert.deepEqual([response.status, error.type, error.code], [503, 'api_error', 'verification_unavailable']);
  assert.equal(response.headers.get('x-request-id'), error.requestId);
  assert.notEqual(error.requestId, '');
  assert.ok(Math.abs(Date.now() - Date.parse(error.timestamp)) < 60_000, error.timestamp);
  assert.equal(response.headers.get('retry-after'), '1');
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
}

/** Nothing fails open (ASVS 16.5.3). */
export function testUnavailability(recipe: Recipe, program: Program, fixture: () => ProxyFixture): void {
  test('no request is accepted while Soku is down, and requests work again afterwards', async () => {
    const { ada, api } = fixture();
    const { apiKey } = await ada.createKey({ name: 'patient' });
    assert.equal((await fixture().send({ key: apiKey })).status, 200);
    await fixture().soku.kill();
    const before = api.received.length;
    try {
      const body = 'z'.repeat(50_000);
      const requests = [
        fixture().send({ key: apiKey }),
        fixture().send({ method: 'POST', key: apiKey, body }),
      ];
      for (const response of await Promise.all(requests)) assertUnavailable(response);
      assert.equal(api.received.length, before);
    } finally {
      await fixture().restartSoku();
    }
    assert.equal((await fixture().send({ key: apiKey })).status, 200);
  });

  test('no request is accepted while Soku hangs, and requests work again afterwards', async () => {
    const { ada, api, soku } = fixture();
    const { apiKey } = await ada.createKey({ name: 'patient' });
    assert.equal((await fixture().send({ key: apiKey })).status, 200);
    const before = api.received.length;
    process.kill(soku.pid, 'SIGSTOP');
    try {
      assertUnavailable(await fixture().send({ key: apiKey }));
    } finally {
      process.kill(soku.pid, 'SIGCONT');
    }
    assert.equal(api.received.length, before);
    assert.equal((await fixture().send({ key: apiKey })).status, 200);
  });

  test('a success response from a server other than Soku is rejected, because the configured address may be wrong', async (t) => {
    const own = await ScriptedSokuFixture.start(recipe, program);
    t.after(() => own.stop());
    for (const status of [200, 204, 302]) {
      own.standIn.respond = () => ({ status, fields: { 'X-Request-Id': 'other', Location: '/elsewhere' } });
      assert.equal((await own.send({ key: 'any' })).status, 503);
    }
    assert.equal(own.api.received.length, 0);
  });
}
