/** Uses of revoked keys and retired secrets are recorded once per key and day. */

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Kysely } from 'kysely';
import { bothDatabases, openTestDatabase } from '../../../../test/support/open-database.ts';
import { insertSecrets, type Secret } from '../../../../test/support/stored-secrets.ts';
import type { Tables } from '../database/schema.ts';
import { EndedUses } from './ended-uses.ts';
import { hourStart } from './hours.ts';
import type { SecretCounts } from './pending-uses.ts';

/** Epoch hours: the start of a day. */
const firstHour = 24 * 20_000;

const counts = ({ keyId, hash }: Pick<Secret, 'keyId' | 'hash'>, hour: number, code = 'revoked_key') =>
  ({
    ...{ keyId, hash, hour, workspaceId: 'ws_1', accepted: 0, refused: 3, refusedBy: { [code]: 3 } },
    ...{ lastMs: -1, address: '', agent: '', changesLastUse: false },
  }) satisfies SecretCounts;

async function eventsOf(db: Kysely<Tables>) {
  const rows = await db
    .selectFrom('audit_event')
    .select(['action', 'actor_kind', 'target_id as keyId', 'details'])
    .orderBy('id')
    .execute();
  return rows.map(({ details, ...row }) => ({ ...row, ...JSON.parse(details ?? '{}') }));
}

for (const which of bothDatabases) {
  describe(`on ${which}`, async () => {
    const { database, close } = await openTestDatabase(which);
    after(close);
    const { kysely } = database;
    const secrets = await insertSecrets(database, 300, 2);
    const [one, sibling, other] = secrets;
    assert.ok(one && sibling && other);
    const now = () => hourStart(firstHour);
    const clear = async () => {
      await kysely.deleteFrom('audit_event').execute();
      await kysely.deleteFrom('ended_use').execute();
    };

    test('one event per key and day, however many requests, secrets and nodes', async () => {
      await clear();
      const nodes = Array.from({ length: 4 }, () => new EndedUses(kysely, now));
      for (let hour = firstHour; hour < firstHour + 24; hour++) {
        for (const node of nodes) for (let i = 0; i < 50; i++) node.add([counts(one, hour)]);
        await Promise.all(nodes.map((node) => node.write()));
      }
      for (const node of nodes) node.add([counts(sibling, firstHour + 23)]);
      await Promise.all(nodes.map((node) => node.write()));
      assert.deepEqual(
        (await eventsOf(kysely)).map(({ action, actor_kind, keyId }) => [action, actor_kind, keyId]),
        [['key.ended_secret_used', 'system', one.keyId]],
      );
      nodes[0]?.add([counts(one, firstHour + 24)]);
      await nodes[0]?.write();
      assert.equal((await eventsOf(kysely)).length, 2, 'the next day');
    });

    test('the event has the requests of the day so far, and the secret', async () => {
      await clear();
      const rejected = { workspace_id: 'ws_1', key_id: one.keyId, requests: 5 };
      await kysely
        .insertInto('usage_refusal')
        .values([
          { ...rejected, hour: firstHour, code: 'revoked_key' },
          { ...rejected, hour: firstHour + 1, code: 'revoked_key' },
          { ...rejected, hour: firstHour + 1, code: 'rate_limited' },
          { ...rejected, hour: firstHour - 1, code: 'revoked_key' },
        ])
        .execute();
      const node = new EndedUses(kysely, now);
      node.add([counts(one, firstHour + 1)]);
      await node.write();
      const [event] = await eventsOf(kysely);
      const { id } = await kysely
        .selectFrom('api_key_secret')
        .select('id')
        .where('hash', '=', Buffer.from(one.hash, 'latin1'))
        .executeTakeFirstOrThrow();
      assert.deepEqual([event?.code, event?.requests, event?.secretId], ['revoked_key', 10, id]);
    });

    test('other rejections, and keys that the database has lost, are ignored', async () => {
      await clear();
      const node = new EndedUses(kysely, now);
      const lost = { keyId: 'key_lost', hash: 'x'.repeat(32) };
      node.add([counts(one, firstHour, 'rate_limited'), counts(lost, firstHour), counts(other, firstHour)]);
      await node.write();
      assert.deepEqual(
        (await eventsOf(kysely)).map(({ keyId }) => keyId),
        [other.keyId],
      );
    });

    test('nodes with many keys in different orders record each key once', async () => {
      await clear();
      const all = secrets.map((secret) => counts(secret, firstHour));
      const nodes = [all, all.toReversed(), all.toSorted((a, b) => (a.hash < b.hash ? -1 : 1))].map(
        (uses) => {
          const node = new EndedUses(kysely, now);
          node.add(uses);
          return node;
        },
      );
      await Promise.all(nodes.map((node) => node.write()));
      const keys = (await eventsOf(kysely)).map(({ keyId }) => keyId);
      assert.equal(keys.length, 300);
      assert.equal(new Set(keys).size, 300);
    });

    test('days that have passed are deleted', async () => {
      await clear();
      const node = new EndedUses(kysely, now);
      for (const day of [0, 1, 2, 3]) {
        node.add([counts(one, firstHour + 24 * day)]);
        await node.write();
      }
      const rows = await kysely.selectFrom('ended_use').select('day').orderBy('day').execute();
      assert.deepEqual(
        rows.map(({ day }) => day - firstHour / 24),
        [2, 3],
      );
    });
  });
}
