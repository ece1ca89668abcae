/** From events to emails that a real SMTP server accepts, refuses or loses. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { msPerDay } from '@soku/contract/instant';
import { hour, MailWorld, minute } from '../../../../test/support/mail-world.ts';
import { openTestDatabase } from '../../../../test/support/open-database.ts';
import { SmtpSink } from '../../../../test/support/smtp.ts';
import { sealEvents } from '../audit/sealer.ts';
import { accountsChain, appendEvents } from '../events/events.ts';
import { claimDue } from '../outbox/leased-rows.ts';
import { MailCollector } from './collector.ts';
import { hasDueMail, oldestWaitingMail } from './delivery.ts';
import { MailPreferences } from './preferences.ts';

for (const which of ['sqlite', 'postgres'] as const) {
  const opened = openTestDatabase(which);
  after(async () => (await opened).close());
  /** A world without emails, and an SMTP server. */
  const start = async (
    t: { after: (stop: () => Promise<void>) => void },
    auth?: { user: string; pass: string },
  ) => {
    const { kysely } = (await opened).database;
    for (const table of ['mail', 'audit_event', 'mail_cursor'] as const)
      await kysely.deleteFrom(table).execute();
    const smtp = await SmtpSink.start(
      auth && {
        allowInsecureAuth: true,
        authOptional: false,
        onAuth: (_auth, _session, done) => done(new Error('no')),
      },
    );
    t.after(() => smtp.stop());
    return { world: new MailWorld(kysely, smtp, auth), smtp };
  };

  test(`each member gets an email in their own time zone, on ${which}`, async (t) => {
    const { world, smtp } = await start(t);
    const { id, users } = await world.addWorkspace('ada', 'bob');
    await world.db
      .insertInto('mail_preference')
      .values({ user_id: users[1]?.id ?? '', time_zone: 'Asia/Kolkata', muted: '' })
      .execute();
    const name = 'Zoë’s <b>key</b> & "co"';
    await world.happen(
      world.event(id, 'key.created', {
        target: { kind: 'key', id: 'key_9', name },
        details: { scopes: 'a:b' },
      }),
    );
    assert.equal(await world.deliver(), 2);
    const mails = smtp.accepted.toSorted((a, b) => (a.to < b.to ? -1 : 1));
    assert.deepEqual(
      mails.map(({ to }) => to),
      users.map(({ email }) => email),
    );
    const [ada, bob] = mails;
    assert.ok(ada && bob);
    assert.equal(ada.subject, `Key created: ${name}`);
    assert.match(ada.text, /Time: 30 Nov 2026, 12:00 UTC\n/);
    assert.match(ada.text, /Times are in UTC/);
    assert.match(bob.text, /Time: 30 Nov 2026, 17:30 GMT\+5:30\n/);
    assert.doesNotMatch(bob.text, /Times are in UTC/);
    assert.match(ada.text, /https:\/\/keys\.example\.com\/settings\/api\/key_9/);
    assert.match(ada.text, /By: Ada\n/);
    assert.match(ada.text, /IP address: 192\.0\.2\.7\n/);
    assert.match(ada.text, /Workspace: Tools & more\n/);
    assert.ok(ada.html.includes('Zoë’s &lt;b&gt;key&lt;/b&gt; &amp; &quot;co&quot;'), ada.html);
    assert.doesNotMatch(ada.html, /<b>|<img|<link|<script|src=/);
    assert.equal(ada.headers.get('auto-submitted'), 'auto-generated');
    assert.equal(ada.headers.get('from'), 'Soku <soku@example.com>');
    assert.match(ada.headers.get('message-id') ?? '', /^<mail_\w{26}@keys\.example\.com>$/);
    assert.notEqual(ada.headers.get('message-id'), bob.headers.get('message-id'));
    assert.equal(ada.headers.get('list-unsubscribe-post'), 'List-Unsubscribe=One-Click');
    const [, token = ''] =
      /^<https:\/\/keys\.example\.com\/unsubscribe\/(.+)>$/.exec(ada.headers.get('list-unsubscribe') ?? '') ??
      [];
    assert.deepEqual(world.tokens.read(token), { userId: users[0]?.id, kind: 'keyCreated' });
    assert.equal(await world.deliver(), 0);
  });

  test(`a bulk call is one email, even if it is sealed in parts, on ${which}`, async (t) => {
    const { world, smtp } = await start(t);
    const { id } = await world.addWorkspace('ada');
    const targets = Array.from({ length: 450 }, (_, i) => ({
      kind: 'key',
      id: `key_${i}`,
      name: `Key ${i}`,
    }));
    const revoked = targets.map((target) => world.event(id, 'key.revoked', { requestId: 'req_1', target }));
    await appendEvents(world.db, [...revoked, world.event(id, 'key.revoked', { at: world.now + 1 })]);
    await sealEvents(world.db);
    await world.db.updateTable('audit_event').set({ sequence: null }).where('sequence', '>', 300).execute();
    await world.collector.collectAll();
    assert.deepEqual(await world.mails(), []);
    await sealEvents(world.db);
    await Promise.all([
      world.collector.collectAll(),
      new MailCollector(world.db, () => world.now).collectAll(),
    ]);
    assert.equal(await world.deliver(), 2);
    const bulk = smtp.accepted.find(({ subject }) => subject === '450 keys revoked');
    assert.match(bulk?.text ?? '', /(- Key \d+\n.*\n){10} {2}and 440 more\n/);
    assert.equal(smtp.accepted.filter(({ subject }) => subject === 'Key revoked: Billing').length, 1);
  });

  test(`after five emails in an hour, the next events share one, on ${which}`, async (t) => {
    const { world, smtp } = await start(t);
    const { id } = await world.addWorkspace('ada');
    for (let i = 0; i < 8; i++) {
      await world.happen(world.event(id, 'key.created', { address: `192.0.2.${i}` }));
      await world.deliver();
      world.now += minute;
    }
    assert.equal(smtp.accepted.length, 5);
    await world.happen(world.event(id, 'key.revoked'));
    await world.deliver();
    assert.equal(smtp.accepted.length, 6, 'another kind of action is not delayed');
    assert.equal(await oldestWaitingMail(world.db, world.now), null, 'it waits for further notices');
    world.now += hour;
    await world.deliver();
    const [shared, ...others] = smtp.accepted.slice(6);
    assert.deepEqual([shared?.subject, others], ['3 keys created', []]);
    assert.match(shared?.text ?? '', /First at: 30 Nov 2026, 12:05 UTC\nLast at: 30 Nov 2026, 12:07 UTC\n/);
    assert.doesNotMatch(shared?.text ?? '', /IP address|Time:/);
  });

  test(`only security emails are sent to an account that turned off the others, on ${which}`, async (t) => {
    const { world, smtp } = await start(t);
    const { id, users } = await world.addWorkspace('ada');
    const [user] = users;
    assert.ok(user);
    const preferences = new MailPreferences(world.db, () => world.now);
    const origin = { address: null, userAgent: null, requestId: null };
    await world.happen(world.event(id, 'key.created'));
    await preferences.unsubscribe(user.id, 'keyCreated', origin);
    assert.equal(await world.deliver(), 1);
    assert.equal(smtp.accepted.length, 0, 'turned off while it waited');
    const account = { kind: 'account', id: user.id, name: 'ada' };
    await world.happen(
      world.event(id, 'key.created'),
      world.event(id, 'key.updated'),
      world.event(id, 'key.ended_secret_used'),
      world.event(id, 'key.leak_reported', {
        details: { url: 'https://github.com/a/b', source: 'commit', places: 3, secretId: 'sec_1' },
      }),
      world.event(accountsChain, 'account.signed_in', { target: account, details: { newDevice: true } }),
      world.event(accountsChain, 'account.signed_in', { target: account }),
      world.event(accountsChain, 'account.password_changed', { target: account }),
    );
    await world.deliver();
    assert.deepEqual(smtp.accepted.map(({ subject }) => subject).sort(), [
      'Key leaked: Billing',
      'New sign-in to your account',
      'Revoked secret in use: Billing',
      'Your password was changed',
    ]);
    const leak = smtp.accepted.find(({ subject }) => subject.startsWith('Key leaked'));
    assert.match(leak?.text ?? '', /^- Billing, found at https:\/\/github\.com\/a\/b \(3 places\)$/m);
    assert.match(leak?.text ?? '', /^GitHub found a secret of this key in a public place\./m);
    assert.doesNotMatch(leak?.text ?? '', /IP address/, 'it would be that of GitHub');
    for (const mail of smtp.accepted) {
      assert.equal(mail.headers.get('list-unsubscribe'), undefined);
      assert.match(mail.text, /Emails about security cannot be turned off\./);
    }
  });

  test(`a person who leaves the workspace gets no email about it, on ${which}`, async (t) => {
    const { world, smtp } = await start(t);
    const { id, users } = await world.addWorkspace('ada', 'bob');
    await world.happen(world.event(id, 'key.created'));
    await world.db
      .deleteFrom('workspace_member')
      .where('user_id', '=', users[1]?.id ?? '')
      .execute();
    await world.happen(world.event(id, 'key.rotated'));
    await world.deliver();
    assert.deepEqual(
      smtp.accepted.map(({ to }) => to),
      [users[0]?.email, users[0]?.email],
    );
  });

  test(`temporary failures delay an email, and lose none, on ${which}`, async (t) => {
    const { world, smtp } = await start(t);
    const { id, users } = await world.addWorkspace('ada', 'bob', 'eve');
    const seen = new Set<string>();
    // Greylisting: the first attempt for each recipient is refused.
    smtp.onRecipient = (address) => {
      if (seen.has(address)) return undefined;
      seen.add(address);
      return 450;
    };
    const drops = new Set(users.map(({ email }) => email));
    smtp.onMail = ({ to }) => (drops.delete(to) ? 'drop' : undefined);
    const created = world.now;
    for (let i = 0; i < 2; i++) await world.happen(world.event(id, 'key.created'));
    assert.equal(await oldestWaitingMail(world.db, world.now), created, 'it is due');
    await world.deliver();
    assert.equal(await oldestWaitingMail(world.db, world.now), created, 'it waits for another attempt');
    const passed = await world.deliverAll(minute);
    assert.equal(await oldestWaitingMail(world.db, world.now), null);
    assert.equal(smtp.accepted.length, 6);
    assert.equal(new Set(smtp.accepted.map(({ headers }) => headers.get('message-id'))).size, 6);
    assert.ok(passed < hour, `${passed}`);
    assert.ok((await world.mails()).every(({ outcome, error }) => outcome === 'sent' && error === null));
    assert.deepEqual(
      { ...world.delivery.counts, deferred: 0 },
      { sent: 6, deferred: 0, refused: 0, expired: 0 },
    );
    assert.ok(world.delivery.counts.deferred >= 3);
  });

  test(`a permanent rejection ends the attempts of an email, and is recorded without its text, on ${which}`, async (t) => {
    const { world, smtp } = await start(t);
    const { id, users } = await world.addWorkspace('ada', 'bob');
    smtp.onRecipient = (address) => (address === users[0]?.email ? 550 : undefined);
    smtp.onMail = () => 554;
    await world.happen(world.event(id, 'key.created'));
    assert.equal(await world.deliver(), 2);
    world.now += 10 * msPerDay;
    assert.equal(await world.deliver(), 0);
    const rows = await world.mails();
    assert.deepEqual(
      rows.map(({ outcome }) => outcome),
      ['refused', 'refused'],
    );
    assert.deepEqual(rows.map(({ error }) => error).sort(), ['EENVELOPE 550', 'EMESSAGE 554']);
    assert.equal(world.log.length, 1);
    assert.match(world.log.join(), /an email could not be delivered; giving up/);
    assert.doesNotMatch(world.log.join(), /example\.com|Billing|refused by the test/);
  });

  test(`a rejected SMTP login is retried for three days, on ${which}`, async (t) => {
    const { world, smtp } = await start(t, { user: 'soku', pass: 'wrong' });
    const { id } = await world.addWorkspace('ada');
    await world.happen(world.event(id, 'key.created'));
    const passed = await world.deliverAll(hour);
    assert.ok(passed > 2.9 * msPerDay && passed < 4 * msPerDay, `${passed / msPerDay} days`);
    assert.deepEqual(
      (await world.mails()).map(({ outcome, error, attempts }) => [outcome, error, attempts]),
      [['expired', 'EAUTH 535', 13]],
    );
    assert.deepEqual(smtp.accepted, []);
    assert.doesNotMatch(world.log.join(), /wrong/);
  });

  test(`an email that cannot be prepared is retried for three days, on ${which}`, async (t) => {
    const { world } = await start(t);
    const { id } = await world.addWorkspace('ada');
    await world.happen(world.event(id, 'key.created'));
    await world.db.updateTable('mail').set({ notice: '{}' }).execute();
    await world.deliverAll(hour);
    assert.deepEqual(
      (await world.mails()).map(({ outcome, error, attempts }) => [outcome, error, attempts]),
      [['expired', 'ZodError', 13]],
    );
    assert.match(world.log[0] ?? '', /"code":"ZodError"/);
  });

  test(`an email that was sent without a record is sent again with the same Message-ID, on ${which}`, async (t) => {
    const { world, smtp } = await start(t);
    const { id } = await world.addWorkspace('ada');
    await world.happen(world.event(id, 'key.created'));
    const crashed = await claimDue(world.db, 'mail', { now: world.now, lease: 10 * minute, limit: 10 });
    assert.equal(crashed.length, 1);
    assert.equal(await hasDueMail(world.db, world.now), false);
    assert.equal(await world.deliver(), 0, 'leased');
    world.now += 10 * minute;
    assert.equal(await hasDueMail(world.db, world.now), true);
    assert.equal(await world.deliver(), 1);
    assert.equal(await hasDueMail(world.db, world.now), false);
    const [late] = crashed;
    assert.ok(late);
    // The node was frozen, not stopped: it sends the email as well, but records nothing.
    const before = await world.mails();
    await world.delivery.attempt(late, new AbortController().signal);
    assert.deepEqual(await world.mails(), before);
    assert.equal(new Set(smtp.accepted.map(({ headers }) => headers.get('message-id'))).size, 1);
  });
}
