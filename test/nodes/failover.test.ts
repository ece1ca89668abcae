/** A standby takes over. With asynchronous replication, it lacks the newest changes here. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import pg from 'pg';
import { DeployedNode } from '../operations/nodes.ts';
import { eventually } from '../support/contract.ts';
import { bearer, call } from '../support/person.ts';
import { type Postgres, startPostgres } from '../support/postgres.ts';
import { createTemporaryDatabase } from '../support/postgres-database.ts';
import { runCount } from '../support/run-count.ts';
import { openSession } from '../support/session.ts';

async function ask(server: string, text: string): Promise<unknown> {
  const client = new pg.Client(server);
  await client.connect();
  const { rows } = await client.query(text);
  await client.end();
  return rows[0]?.value;
}

async function set(server: Postgres, setting: string): Promise<void> {
  await ask(server.url(), `ALTER SYSTEM SET ${setting}`);
  await ask(server.url(), 'SELECT pg_reload_conf()');
}

async function replicates(primary: Postgres, condition: string): Promise<void> {
  await eventually(
    () => ask(primary.url(), `SELECT ${condition} AS value FROM pg_stat_replication`),
    (value) => value === true,
  );
}

const replication = {
  asynchronous: async (primary: Postgres, standby: Postgres) => {
    await replicates(primary, 'bool_and(replay_lsn >= pg_current_wal_lsn())');
    await set(standby, `primary_conninfo = ''`);
    await replicates(primary, 'count(*) = 0');
  },
  synchronous: async (primary: Postgres) => {
    await set(primary, `synchronous_standby_names = '*'`);
    await replicates(primary, `bool_and(sync_state = 'sync')`);
  },
};

/** Two nodes, whose network leads to the primary. */
async function deploy(t: TestContext) {
  const primary = await startPostgres();
  const standby = await startPostgres({ standbyOf: primary });
  const { url } = await createTemporaryDatabase(primary.url());
  const nodes = await Promise.all([DeployedNode.create(url, {}), DeployedNode.create(url, {})]);
  t.after(async () => {
    await Promise.all(nodes.map((node) => node.remove()));
    await Promise.all([primary.stop(), standby.stop()]);
  });
  // The first one creates the tables.
  for (const node of nodes) await node.start();
  const fail = async () => {
    await primary.crash();
    for (const { network } of nodes) network.redirect(standby.port);
    await ask(standby.url(), 'SELECT pg_promote() AS value');
  };
  return { primary, standby, nodes, fail, database: new URL(url).pathname.slice(1) };
}

async function verify(node: DeployedNode, apiKey: string): Promise<string> {
  const { status, text } = await call(`${node.url}/v1/verify`, { headers: bearer(apiKey) });
  return status === 204 ? 'valid' : (/"code":"(\w+)"/.exec(text)?.[1] ?? text);
}

const kinds: (keyof typeof replication)[] =
  runCount(1, 2) === 1 ? ['asynchronous'] : ['asynchronous', 'synchronous'];
for (const kind of kinds) {
  test(`no revoked key is accepted after a failover with ${kind} replication`, async (t) => {
    const { primary, standby, nodes, fail, database } = await deploy(t);
    const [{ server }] = nodes;
    const ada = await openSession(server);
    const [revoked, good] = [await ada.createKey({ name: 'revoked' }), await ada.createKey({ name: 'good' })];
    await replication[kind](primary, standby);
    const newest = await ada.createKey({ name: 'newest' });
    const readAll = () =>
      Promise.all(nodes.flatMap((node) => [revoked, good, newest].map(({ apiKey }) => verify(node, apiKey))));
    await eventually(readAll, (results) => results.every((result) => result === 'valid'));
    await ada.revoke(revoked.key.id);
    // The other node records it in the background.
    await eventually(
      async () => nodes.map(({ server: { dataDir } }) => existsSync(join(dataDir, 'revoked-hashes'))),
      (recorded) => recorded.every(Boolean),
    );
    await fail();
    const isLost = kind === 'asynchronous';
    await Promise.all(
      nodes.map(async (node) => {
        const results = new Set<string>();
        await eventually(
          async () => {
            results.add(await verify(node, revoked.apiKey));
            // The cache accepts the good key until the node has noticed the failover.
            const isNoticed = node.server.output.includes('PostgreSQL was restarted or replaced');
            return { isNoticed, good: await verify(node, good.apiKey) };
          },
          (state) => state.isNoticed && state.good === 'valid',
        );
        assert.ok(!results.has('valid'), [...results].join());
        assert.equal(await verify(node, revoked.apiKey), 'revoked_key');
        // No one could revoke a lost key.
        assert.equal(await verify(node, newest.apiKey), isLost ? 'unknown_key' : 'valid');
        const { text } = await call(`${node.url}/metrics`);
        assert.match(text, isLost ? /^soku_database_losses_total 1$/m : /^soku_database_losses_total 0$/m);
        await eventually(
          async () => node.server.output.includes('PostgreSQL has lost confirmed changes'),
          (isReported) => isReported === isLost,
        );
      }),
    );
    const revokedBy = `SELECT revoked_by = 'journal' AS value FROM api_key WHERE name = 'revoked'`;
    assert.equal(await ask(standby.url(database), revokedBy), isLost);
  });
}
