/** Emails of the policies for idle keys and for old secrets. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { MailWorld, minute } from '../../../../test/support/mail-world.ts';
import { openTestDatabase } from '../../../../test/support/open-database.ts';
import { SmtpSink } from '../../../../test/support/smtp.ts';
import { noOrigin, systemActor } from '../events/actor.ts';
import { MailPreferences } from './preferences.ts';

/** An SMTP server, and a workspace whose members get emails. */
async function startMail(t: TestContext) {
  const { database, close } = await openTestDatabase('sqlite');
  t.after(close);
  const smtp = await SmtpSink.start();
  t.after(() => smtp.stop());
  const world = new MailWorld(database.kysely, smtp);
  const { id, users } = await world.addWorkspace('ada');
  return { world, smtp, id, users };
}

test('warnings about idle keys share an email, and so do disabled keys', async (t) => {
  const { world, smtp, id, users } = await startMail(t);
  const actor = systemActor;
  const policy = { policy: 'maxKeyIdleDays', days: 90, idleSince: '2026-09-16T12:00:00.000Z' };
  const warned = { ...policy, warning: 1, disablesAt: '2026-12-14T12:00:00.000Z' };
  const disabled = { changes: { disabled: { from: false, to: true } }, details: policy };
  const target = (name: string) => ({ kind: 'key', id: `key_${name}`, name });
  await world.happen(
    world.event(id, 'key.policy_warned', { actor, target: target('Billing'), details: warned }),
    world.event(id, 'key.policy_warned', { actor, target: target('Import'), details: warned }),
    world.event(id, 'key.updated', { actor, target: target('Old'), ...disabled }),
    world.event(id, 'key.updated', { target: target('By a person'), changes: disabled.changes }),
  );
  await world.deliver();
  const [warning, disabling, ...others] = smtp.accepted.toSorted((a, b) =>
    a.subject.localeCompare(b.subject),
  );
  assert.deepEqual(
    [warning?.subject, disabling?.subject, others],
    ['2 idle keys will be disabled', 'Idle key disabled: Old', []],
  );
  const since = 'idle since 16 Sept 2026, 12:00 UTC';
  assert.match(
    warning?.text ?? '',
    new RegExp(`^- Billing, ${since}, will be disabled on 14 Dec 2026, 12:00 UTC at the earliest$`, 'm'),
  );
  assert.match(warning?.text ?? '', /A key that is used before then stays enabled/);
  assert.match(disabling?.text ?? '', new RegExp(`^- Old, ${since}$`, 'm'));
  assert.match(disabling?.text ?? '', /Turn off emails about idle keys/);
  const preferences = new MailPreferences(world.db, () => world.now);
  await preferences.unsubscribe(users[0]?.id ?? '', 'keyIdle', noOrigin);
  await world.happen(world.event(id, 'key.updated', { actor, target: target('Older'), ...disabled }));
  assert.equal(await world.deliver(), 0);
});

test('keys due for rotation share an email, which waits a minute for all of them', async (t) => {
  const { world, smtp, id, users } = await startMail(t);
  const warned = (name: string) =>
    world.event(id, 'key.policy_warned', {
      actor: systemActor,
      target: { kind: 'key', id: `key_${name}`, name },
      details: { policy: 'maxSecretAgeDays', days: 90, secretCreatedAt: '2026-08-30T12:00:00.000Z' },
    });
  const idle = { policy: 'maxKeyIdleDays', days: 90, idleSince: '2026-09-16T12:00:00.000Z' };
  await world.happen(
    warned('Billing'),
    world.event(id, 'key.policy_warned', { actor: systemActor, details: { ...idle, warning: 1 } }),
  );
  assert.equal(await world.deliver(), 1, 'another policy is another email');
  await world.happen(warned('Import'));
  world.now += minute;
  assert.equal(await world.deliver(), 1);
  const [, mail] = smtp.accepted;
  assert.equal(mail?.subject, '2 keys due for rotation');
  assert.match(
    mail?.text ?? '',
    /^- Billing, secret created on 30 Aug 2026, 12:00 UTC\n {2}https:\/\/keys\.example\.com\/settings\/api\/key_Billing$/m,
  );
  assert.match(
    mail?.text ?? '',
    /A secret past this age stays valid, but should be replaced: rotate the key/,
  );
  assert.match(mail?.text ?? '', /Turn off emails about keys due for rotation: /);
  const preferences = new MailPreferences(world.db, () => world.now);
  await preferences.unsubscribe(users[0]?.id ?? '', 'rotationDue', noOrigin);
  await world.happen(warned('Another'));
  world.now += minute;
  assert.equal(await world.deliver(), 0);
});
