/** Emails about security do not wait for long, however many there are. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { MailWorld, minute } from '../../../../test/support/mail-world.ts';
import { openTestDatabase } from '../../../../test/support/open-database.ts';
import { SmtpSink } from '../../../../test/support/smtp.ts';
import { systemActor } from '../events/actor.ts';
import { accountsChain } from '../events/events.ts';

for (const which of ['sqlite', 'postgres'] as const) {
  const opened = openTestDatabase(which);
  after(async () => (await opened).close());

  test(`after five emails in an hour, the next ones about security share one within five minutes, on ${which}`, async (t) => {
    const smtp = await SmtpSink.start();
    t.after(() => smtp.stop());
    const world = new MailWorld((await opened).database.kysely, smtp);
    const { id, users } = await world.addWorkspace('ada');
    const begin = world.now;
    /** When each email was sent, in minutes, and its subject. */
    const sent: string[] = [];
    const deliver = async () => {
      const before = smtp.accepted.length;
      await world.deliver();
      for (const { subject } of smtp.accepted.slice(before))
        sent.push(`${(world.now - begin) / minute}: ${subject}`);
    };
    const used = (name: string) =>
      world.event(id, 'key.ended_secret_used', {
        actor: systemActor,
        target: { kind: 'key', id: `key_${name}`, name },
      });
    for (let i = 0; i < 5; i++) await world.happen(used(`K${i}`));
    await deliver();
    sent.length = 0;
    for (const name of ['Late', 'Later']) {
      await world.happen(used(name));
      await deliver();
      world.now += minute;
    }
    const account = { kind: 'account', id: users[0]?.id ?? '', name: 'ada' };
    await world.happen(
      world.event(accountsChain, 'account.password_changed', { target: account }),
      world.event(id, 'key.leak_reported', {
        actor: systemActor,
        details: { url: null, source: 'commit', places: 1 },
      }),
    );
    for (; world.now <= begin + 5 * minute; world.now += minute) await deliver();
    assert.deepEqual(sent.toSorted(), [
      '2: Key leaked: Billing',
      '2: Your password was changed',
      '5: Revoked secrets of 2 keys in use',
    ]);
    const [shared] = smtp.accepted.filter(({ subject }) => /2 keys/.test(subject));
    assert.match(shared?.text ?? '', /^- Late\n.*\n- Later\n/m);
  });
}
