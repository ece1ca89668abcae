/** A standby takes over that lacks the newest changes, as with asynchronous replication. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import pg from 'pg';
import { DeployedNode } from '../operations/nodes.ts';
import { eventually } from '../support/contract.ts';
import { bearer, call } from '../support/person.ts';
import { startPostgres } from '../support/postgres.ts';
import { temporaryDatabase } from '../support/postgres-database.ts';
import { openSession } from '../support/session.ts';

const primary = await startPostgres();
const standby = await startPostgres({ standbyOf: primary });
const { url } = await temporaryDatabase(primary.url());
const nodes = await Promise.all([DeployedNode.create(url, {}), DeployedNode.create(url, {})]);
after(async () => {
  await Promise.all(nodes.map((node) => node.remove()));
  await Promise.all([primary.stop(), standby.stop()]);
});

async function ask(server: string, text: string): Promise<unknown> {
  const client = new pg.Client(server);
  await client.connect();
  const { rows } = await client.query(text);
  await client.end();
  return rows[0]?.value;
}

async function verify(node: DeployedNode, apiKey: string): Promise<string> {
  const { status, text } = await call(`${node.url}/v1/verify`, { headers: bearer(apiKey) });
  return status === 204 ? 'valid' : (/"code":"(\w+)"/.exec(text)?.[1] ?? text);
}

test('no key is accepted whose revoke the new primary lacks, and no key that it lacks', async () => {
  // The first one creates the tables.
  for (const node of nodes) await node.start();
  const [one] = nodes;
  assert.ok(one !== undefined);
  const ada = await openSession(one.server);
  const [revoked, good] = [await ada.createKey({ name: 'revoked' }), await ada.createKey({ name: 'good' })];
  const isReplicated =
    'SELECT bool_and(replay_lsn >= pg_current_wal_lsn()) AS value FROM pg_stat_replication';
  await eventually(
    () => ask(primary.url(), isReplicated),
    (value) => value === true,
  );
  await ask(standby.url(), `ALTER SYSTEM SET primary_conninfo = ''`);
  await ask(standby.url(), 'SELECT pg_reload_conf()');
  const streams = 'SELECT count(*)::int AS value FROM pg_stat_replication';
  await eventually(
    () => ask(primary.url(), streams),
    (value) => value === 0,
  );
  const created = await ada.createKey({ name: 'created afterwards' });
  const readAll = () =>
    Promise.all(nodes.flatMap((node) => [revoked, good, created].map(({ apiKey }) => verify(node, apiKey))));
  await eventually(readAll, (results) => results.every((result) => result === 'valid'));
  await ada.revoke(revoked.key.id);

  await primary.crash();
  for (const { network } of nodes) network.redirect(standby.port);
  await ask(standby.url(), 'SELECT pg_promote() AS value');
  await Promise.all(
    nodes.map(async (node) => {
      const results = new Set<string>();
      // `good` is accepted as soon as the node uses the new primary.
      await eventually(
        async () => {
          results.add(await verify(node, revoked.apiKey));
          return (await verify(node, created.apiKey)) === 'unknown_key' && verify(node, good.apiKey);
        },
        (result) => result === 'valid',
      );
      assert.ok(!results.has('valid'), [...results].join());
      assert.equal(await verify(node, revoked.apiKey), 'revoked_key');
      await node.server.printed('PostgreSQL has lost confirmed changes');
      const { text } = await call(`${node.url}/metrics`);
      assert.match(text, /^soku_database_losses_total 1$/m);
    }),
  );
  assert.equal(
    await ask(
      standby.url(new URL(url).pathname.slice(1)),
      `SELECT revoked_by AS value FROM api_key WHERE name = 'revoked'`,
    ),
    'journal',
  );
});
