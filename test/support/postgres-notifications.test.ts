import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import pg from 'pg';
import { createTemporaryDatabase } from './postgres-database.ts';
import { Notifications } from './postgres-notifications.ts';
import { TcpProxy } from './tcp-proxy.ts';

test('the filter drops notifications and passes query results', async () => {
  const database = await createTemporaryDatabase();
  const notifications = new Notifications();
  const proxy = await TcpProxy.before(database.url, { filterToClient: notifications.filter });
  const client = new pg.Client({ connectionString: proxy.url(database.url) });
  const received: string[] = [];
  client.on('notification', ({ payload = '' }) => received.push(payload));
  await client.connect();
  try {
    await client.query('LISTEN news');
    const first = once(client, 'notification');
    await client.query("NOTIFY news, 'one'");
    await first;
    notifications.lost = true;
    await client.query("NOTIFY news, 'two'");
    // Long enough to arrive in several pieces.
    const { rows } = await client.query("SELECT repeat('x', 300000) AS text");
    assert.equal(rows[0].text.length, 300_000);
    await client.query("NOTIFY news, 'three'");
    assert.equal(notifications.lostCount, 2);
    notifications.lost = false;
    const last = once(client, 'notification');
    await client.query("NOTIFY news, 'four'");
    await last;
    assert.deepEqual(received, ['one', 'four']);
  } finally {
    await client.end();
    await proxy.close();
    await database.drop();
  }
});

test('the filter detects messages in any fragmentation', () => {
  const message = (type: string, text: string) => {
    const head = Buffer.from([type.charCodeAt(0), 0, 0, 0, 0]);
    head.writeInt32BE(4 + text.length, 1);
    return Buffer.concat([head, Buffer.from(text)]);
  };
  // A response to SSLRequest, then a notice, which begins with the same letter.
  const opening = Buffer.concat([Buffer.from('N'), message('R', 'AAAA')]);
  const kept = [opening, message('N', 'A notice'), message('D', ''), message('Z', 'I')];
  const [before, ...after] = kept;
  const all = Buffer.concat([before ?? opening, message('A', 'lost'), ...after, message('A', '')]);
  for (let size = 1; size <= all.length; size++) {
    const notifications = new Notifications();
    notifications.lost = true;
    const filter = notifications.filter();
    const passed: Buffer[] = [];
    for (let at = 0; at < all.length; at += size) passed.push(filter(all.subarray(at, at + size)));
    assert.deepEqual(Buffer.concat(passed), Buffer.concat(kept), `in pieces of ${size}`);
    assert.equal(notifications.lostCount, 2);
  }
});

test('the filter rejects an encrypted connection instead of passing it unfiltered', () => {
  assert.throws(() => new Notifications().filter()(Buffer.from('S')), /encrypted/);
});
