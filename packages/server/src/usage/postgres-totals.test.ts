/** The totals that several nodes write, and last uses that are written early. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openTestPostgres } from '../../../../test/support/open-database.ts';
import { insertSecrets, Secret } from '../../../../test/support/stored-secrets.ts';
import { SecretCache } from '../verification/secret-cache.ts';
import { hourStart } from './hours.ts';
import { Pacer } from './pacer.ts';
import { PostgresUsageStore } from './postgres-store.ts';
import { UsageReader } from './reader.ts';
import { UsageRecorder } from './recorder.ts';

const { database, close } = await openTestPostgres();
after(close);
const secrets = await insertSecrets(database, 3, 2);
const firstHour = 400_000;

/** A node with its own counts of the same secrets. */
function newNode() {
  const store = new PostgresUsageStore(database);
  const pacer = new Pacer();
  pacer.hurry();
  const cache = new SecretCache({ valid: 10, rejected: 1 });
  const recorder = new UsageRecorder(store, cache, pacer);
  return { store, cache, recorder, reader: new UsageReader(store, recorder) };
}

test('nodes that write the same keys at once wait for each other without a deadlock', async () => {
  const now = hourStart(firstHour);
  const nodes = [newNode(), newNode(), newNode()] as const;
  for (let round = 0; round < 10; round++) {
    for (const [i, { cache }] of nodes.entries()) {
      for (const secret of secrets) {
        secret.use(cache, now + round);
        // Only some writes contain rejections.
        if (i === 0) secret.use(cache, now + round, { refused: true });
      }
    }
    await Promise.all(nodes.map(({ recorder }) => recorder.flush()));
  }
  const { reader } = nodes[0];
  const [hour] = await reader.workspace('ws_1', firstHour, firstHour + 1);
  const each = 10 * secrets.length;
  assert.deepEqual([hour?.accepted, hour?.refusedBy], [3 * each, { insufficient_scope: each }]);
  const outcomes = await reader.outcomes('ws_1', ['key_0'], firstHour, firstHour + 1);
  assert.deepEqual(outcomes.get('key_0'), { accepted: 60, refusedBy: { insufficient_scope: 20 } });
});

test('last uses are written before a flush, which counts them once', async () => {
  const node = newNode();
  const at = hourStart(firstHour + 1) + 300_001;
  secrets[0]?.use(node.cache, at);
  const lost = new Secret('key_lost', 'x'.repeat(32));
  lost.use(node.cache, at);
  await node.store.writeLastUses([...node.recorder.of('key_0'), ...node.recorder.of('key_lost')]);
  const { rows } = await database.pool.query("SELECT used_at FROM key_use WHERE key_id = 'key_0'");
  assert.deepEqual(rows, [{ used_at: at - 1 }]);
  await node.recorder.flush();
  const { hours } = await node.reader.usage('ws_1', 'key_0', firstHour + 1, firstHour + 2);
  assert.equal(hours[0]?.accepted, 1);
});
