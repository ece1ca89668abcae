/** A secret whose grace is over is retired for good, whatever the clock says later. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Key } from '@soku/contract/keys';
import { eventually } from '../support/contract.ts';
import { startWithMovableClock } from '../support/movable-clock.ts';
import { Rotations } from '../support/rotation.ts';
import { runSql } from '../support/run-sql.ts';

const { server, clock } = await startWithMovableClock();
after(() => server.stop());
const rotations = await Rotations.on(server);

function retiredAt({ secrets }: Key, secretId: string | undefined): string | null {
  return secrets.find(({ id }) => id === secretId)?.retiredAt ?? null;
}

test('a secret is rejected when its grace is over, and retired within a minute, also for an earlier clock', async () => {
  const first = await rotations.create();
  const second = await rotations.rotate(first.key.id, { graceSeconds: 60 });
  await rotations.assertAccepted(first.apiKey, second.apiKey);
  const [secret] = first.key.secrets;
  const end = second.key.secrets[1]?.retiresAt ?? '';
  await clock.move(Date.parse(end) - clock.now - 2000);
  await rotations.assertAccepted(first.apiKey);
  await clock.move(Date.parse(end) - clock.now);
  const lapsed = await rotations.verify(first.apiKey);
  assert.equal(lapsed.status, 401);
  assert.ok(lapsed.text.includes(`retired at ${end}`), lapsed.text);
  await rotations.assertAccepted(second.apiKey);
  const key = await eventually(
    () => rotations.show(first.key.id),
    (shown) => retiredAt(shown, secret?.id) !== null,
  );
  assert.equal(retiredAt(key, secret?.id), end);
  await eventually(async () => rotations.isInJournal(first.apiKey), Boolean);
  assert.ok(!rotations.isInJournal(second.apiKey));
  const [event] = await rotations.eventsOf(first.key.id);
  assert.deepEqual(event, {
    action: 'key.secret_retired',
    by: 'system',
    details: { secretId: secret?.id, reason: 'lapsed' },
  });
  await clock.move(-3_600_000);
  await runSql(
    server,
    'UPDATE api_key_secret SET retires_at = ? WHERE id = ?',
    clock.now + 10 ** 9,
    secret?.id ?? '',
  );
  assert.equal((await rotations.verify(first.apiKey)).text.includes(`retired at ${end}`), true);
  await rotations.assertAccepted(second.apiKey);
});
