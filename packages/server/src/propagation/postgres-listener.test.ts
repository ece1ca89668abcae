import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openTestPostgres } from '../../../../test/support/open-database.ts';
import { TcpProxy } from '../../../../test/support/tcp-proxy.ts';
import { connectionConfig } from '../database/postgres.ts';
import { type Schedule, scheduleTimer } from '../timers/periodic-task.ts';
import { PostgresListener } from './postgres-listener.ts';

const { url, database, close } = await openTestPostgres();
const proxy = await TcpProxy.before(url);
after(async () => {
  await proxy.close();
  await close();
});

test('a connection that a firewall drops silently is replaced, and notifications arrive again', async (t) => {
  let runTest: () => void = () => undefined;
  // Runs the test of the connection when this test wants it, and everything else, such as a reconnect, in time.
  const quick: Schedule = (run, delay) => {
    if (delay < 10_000) return scheduleTimer(run, delay);
    runTest = run;
    return () => undefined;
  };
  let heard = Promise.withResolvers<string>();
  const next = () => {
    heard = Promise.withResolvers();
    return heard.promise;
  };
  const listener = new PostgresListener({
    connection: connectionConfig(proxy.url(url)),
    handlers: { soku_change: (payload) => heard.resolve(payload) },
    schedule: quick,
  });
  t.after(() => listener.stop());
  const connected = next();
  await listener.start();
  assert.equal(await connected, '', 'notifications may have been missed before it connected');
  const first = next();
  await database.pool.query(`NOTIFY soku_change, 'first'`);
  assert.equal(await first, 'first');
  proxy.dropSilently();
  const again = next();
  runTest();
  assert.equal(await again, '', 'it has connected again');
  const second = next();
  await database.pool.query(`NOTIFY soku_change, 'second'`);
  assert.equal(await second, 'second');
});
