/** How queued events are delivered, on both databases, with a clock and receivers that the tests control. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { msPerDay, msPerHour } from '@soku/contract/instant';
import { pino } from 'pino';
import { testEvent } from '../../../../test/support/audit-log.ts';
import { openTestDatabase } from '../../../../test/support/open-database.ts';
import { openWebhooks, webhookFixtures } from '../../../../test/support/webhook-deliveries.ts';
import { presentDelivery } from './present.ts';
import { pruneDeliveries } from './retention.ts';
import { SecretBox } from './signing-secrets.ts';
import { createWebhooks } from './webhooks.ts';

const { accepted, action, box, failed, running, start } = webhookFixtures;

for (const which of ['sqlite', 'postgres'] as const) {
  const { withWebhook, close } = openWebhooks(which);
  after(close);

  test(`a delivery is repeated for three days, then its webhook is disabled with an event, on ${which}`, async () => {
    const { db, state, attemptAll, seal, queue, webhook, deliveries } = await withWebhook('key.created');
    await seal([action(testEvent(0), 'key.created')]);
    await queue();
    state.outcome = failed;
    const gaps: number[] = [];
    for (let attempt = 1; attempt <= 10; attempt++) {
      const sent = state.sent;
      await attemptAll();
      assert.equal(state.sent, sent + 1, `attempt ${attempt}`);
      const [{ next_attempt_at = null } = {}] = await deliveries();
      if (next_attempt_at === null) break;
      gaps.push((next_attempt_at - state.now) / msPerHour);
      state.now = next_attempt_at - 1;
      await attemptAll();
      assert.equal(state.sent, sent + 1, 'not before its time');
      state.now = next_attempt_at;
    }
    assert.equal(gaps.length, 9);
    for (const [i, least] of [5 / 3600, 1 / 12, 0.5, 2, 5, 10, 14, 20, 24].entries())
      assert.ok(
        (gaps[i] ?? 0) >= least * 0.999 && (gaps[i] ?? 0) <= least * 1.101,
        `${gaps[i]} for ${least}`,
      );
    const [delivery] = await deliveries();
    assert.ok(delivery);
    assert.deepEqual([delivery.attempts, delivery.succeeded_at], [10, null]);
    const earlier = presentDelivery(delivery).earlierAttempts;
    const times = [start];
    for (const gap of gaps) times.push((times.at(-1) ?? 0) + gap * msPerHour);
    assert.deepEqual(
      earlier.map(({ at }) => Date.parse(at)),
      times.slice(0, -1).map(Math.round).reverse(),
    );
    assert.deepEqual(earlier[0], { at: earlier[0]?.at, durationMs: 1, status: 500, error: 'down' });
    assert.equal(delivery?.ended_at, state.now);
    const { disabled_at, disabled_by, failing_since } = await webhook();
    assert.deepEqual([disabled_at, disabled_by, failing_since], [state.now, 'system', start]);
    const last = await db
      .selectFrom('audit_event')
      .selectAll()
      .orderBy('id', 'desc')
      .executeTakeFirstOrThrow();
    assert.deepEqual([last.action, last.chain, last.target_id], ['webhook.disabled', 'ws_1', 'w']);
    assert.deepEqual(JSON.parse(last.details ?? ''), {
      failingSince: new Date(start).toISOString(),
      lastError: 'down',
      reason: 'failing',
    });
    await attemptAll();
    assert.equal(state.sent, 10);
  });

  test(`a webhook with a backlog is disabled after three days without success, on ${which}`, async () => {
    const { db, state, attemptAll, seal, queue, webhook, deliveries } = await withWebhook();
    await seal([testEvent(0), testEvent(1), testEvent(2)]);
    await queue();
    state.outcome = failed;
    await db
      .updateTable('webhook')
      .set({ failing_since: start - 72 * msPerHour + 1 })
      .execute();
    const [first, second] = await deliveries();
    const later = { next_attempt_at: start + 1 };
    await db
      .updateTable('webhook_delivery')
      .set(later)
      .where('id', '!=', first?.id ?? '')
      .execute();
    await attemptAll();
    assert.equal((await webhook()).disabled_at, null);
    state.now += 1;
    await attemptAll();
    assert.deepEqual([(await webhook()).disabled_at, (await webhook()).disabled_by], [state.now, 'system']);
    const waiting = (await deliveries()).find(({ id }) => id === second?.id);
    assert.deepEqual([waiting?.attempts, waiting?.ended_at], [1, null], 'it is sent if a person enables it');
  });

  test(`a receiver that only rejects one event stays enabled, on ${which}`, async () => {
    const { db, state, attemptAll, seal, queue, webhook, deliveries } = await withWebhook('key.created');
    await seal([action(testEvent(0), 'key.created')]);
    await queue();
    state.outcome = failed;
    for (let attempt = 1; attempt <= 9; attempt++) {
      await attemptAll();
      state.now = (await deliveries())[0]?.next_attempt_at ?? assert.fail();
    }
    // Another event succeeds before the last attempt.
    await seal([action(testEvent(1), 'key.created')]);
    await queue();
    const [first] = await deliveries();
    await db
      .updateTable('webhook_delivery')
      .set({ next_attempt_at: state.now + 9 })
      .where('id', '=', first?.id ?? '')
      .execute();
    state.outcome = accepted;
    await attemptAll();
    assert.equal((await webhook()).failing_since, null);
    state.now += 9;
    state.outcome = failed;
    await attemptAll();
    assert.deepEqual((await deliveries()).map(({ succeeded_at }) => succeeded_at === null).sort(), [
      false,
      true,
    ]);
    assert.equal((await deliveries()).filter(({ next_attempt_at }) => next_attempt_at !== null).length, 0);
    assert.equal((await webhook()).disabled_at, null);
  });

  test(`after a crash in the middle of an attempt, another node makes it again, on ${which}`, async () => {
    const { state, deliverer, claim, attemptAll, seal, queue, deliveries } = await withWebhook();
    await seal([testEvent(0)]);
    await queue();
    const [lost] = await claim();
    assert.ok(lost);
    await attemptAll();
    assert.equal(state.sent, 0, 'it is leased');
    state.now += 60_000;
    await attemptAll();
    assert.equal(state.sent, 1);
    // The first node was only slow, and has not sent anything yet.
    await deliverer.attempt(lost, running);
    assert.equal(state.sent, 1, 'the lease has passed on');
    assert.equal((await deliveries()).length, 1);
    // A server that stops gives the attempt back.
    state.outcome = failed;
    await seal([testEvent(1)]);
    await queue();
    const [given] = await claim();
    await deliverer.attempt(given ?? assert.fail(), AbortSignal.abort());
    assert.deepEqual(
      (await claim()).map(({ attempts }) => attempts),
      [1],
    );
  });

  test(`an outcome that comes after the lease is not recorded, on ${which}`, async () => {
    const { db, state, deliverer, claim, attemptAll, seal, queue, deliveries } = await withWebhook();
    await seal([testEvent(0)]);
    await queue();
    const [slow] = await claim();
    assert.ok(slow);
    state.outcome = failed;
    state.during = async () => {
      state.now += 60_000;
      state.outcome = accepted;
      await attemptAll();
    };
    await deliverer.attempt(slow, running);
    assert.equal(state.sent, 2);
    const [{ error, attempts } = assert.fail()] = await deliveries();
    assert.deepEqual([error, attempts], [null, 1]);
    // A webhook that is deleted takes a leased delivery with it, but not from another node.
    await seal([testEvent(1)]);
    await queue();
    const [lost] = await claim();
    assert.ok(lost);
    const passedOn = { ...lost, leaseUntil: lost.leaseUntil - 1 };
    await deliverer.attempt(passedOn, running);
    assert.equal(state.sent, 2, 'another node sends it');
    await db.deleteFrom('webhook').execute();
    await deliverer.attempt(passedOn, running);
    assert.equal((await deliveries()).length, 2);
    await deliverer.attempt(lost, running);
    assert.equal((await deliveries()).length, 1);
  });

  test(`no attempt begins that could last longer than its lease, on ${which}`, async () => {
    const { state, deliverer, claim, attemptAll, seal, queue } = await withWebhook();
    await seal([testEvent(0)]);
    await queue();
    const [late] = await claim();
    assert.ok(late);
    state.now = late.leaseUntil - 14_999;
    await deliverer.attempt(late, running);
    assert.equal(state.sent, 0);
    await attemptAll();
    assert.equal(state.sent, 1, 'it was given back');
  });

  test(`nothing is sent without a signing secret that can be decrypted, on ${which}`, async () => {
    const { state, attemptAll, seal, queue, deliveries } = await withWebhook(
      '*',
      new SecretBox('another secret'),
    );
    await seal([testEvent(0)]);
    await queue();
    await attemptAll();
    assert.equal(state.sent, 0);
    assert.match((await deliveries())[0]?.error ?? '', /SOKU_SECRET has changed/);
  });

  test(`deliveries are deleted 30 days after their end, and with their webhook, on ${which}`, async () => {
    const { db, state, attemptAll, seal, queue, deliveries } = await withWebhook();
    await seal([testEvent(0)]);
    await queue();
    await attemptAll();
    state.now += 1;
    await seal([testEvent(1)]);
    await queue();
    await pruneDeliveries(db, start + 30 * msPerDay);
    assert.equal((await deliveries()).length, 2);
    await pruneDeliveries(db, start + 30 * msPerDay + 1);
    assert.deepEqual(
      (await deliveries()).map(({ ended_at }) => ended_at),
      [null],
    );
    await db.deleteFrom('webhook').execute();
    await attemptAll();
    assert.equal(state.sent, 1, 'no longer sent');
    await pruneDeliveries(db, start);
    assert.deepEqual(await deliveries(), []);
  });
}

test('old deliveries are deleted a minute after the start, however often a server restarts', async (t) => {
  const opened = await openTestDatabase('sqlite');
  t.after(() => opened.close());
  const { database } = opened;
  const old = { id: 'd', webhook_id: 'w', type: 'x', body: '{}', created_at: 0, attempts: 1, ended_at: 1 };
  await database.kysely.insertInto('webhook_delivery').values(old).execute();
  const waiting = new Map<number, () => void>();
  const { worker } = createWebhooks(
    { keyPrefixes: ['sk_live_'], webhookAllow: [] },
    database,
    { commit: () => assert.fail('no command') },
    'a secret of the deployment, for tests',
    pino({ level: 'silent' }),
    (work, delay) => {
      waiting.set(delay, work);
      return () => waiting.delete(delay);
    },
  );
  worker.start();
  waiting.get(60_000)?.();
  // Waits for the work that has begun.
  await worker.stop();
  assert.deepEqual(await database.kysely.selectFrom('webhook_delivery').selectAll().execute(), []);
});

test('a sealed signing secret opens only for its webhook and with the same secret of the deployment', () => {
  const sealed = box.seal('whsec_x', 'w');
  assert.equal(box.open(sealed, 'w'), 'whsec_x');
  assert.equal(box.open(sealed, 'v'), undefined);
  assert.equal(new SecretBox('other').open(sealed, 'w'), undefined);
  const edited = Buffer.from(sealed, 'base64');
  edited[edited.length - 1] = (edited.at(-1) ?? 0) ^ 1;
  assert.equal(box.open(edited.toString('base64'), 'w'), undefined);
  assert.equal(box.open('', 'w'), undefined);
});
