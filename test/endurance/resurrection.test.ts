import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { z } from 'zod';
import { type Attack, aKeyRow, aSecretRow, harmlessOnBoth, type Names, refusedOnBoth } from './attacks.ts';
import { digGraves, type Graveyard } from './graveyard.ts';

const graves = await digGraves();
after(() => graves.close());

/** Each must be refused by the database. */
const refused: Record<string, Attack> = {
  ...refusedOnBoth,
  'clearing it by OR IGNORE': ({ id }) => [`UPDATE OR IGNORE api_key SET revoked_at = NULL WHERE id = ${id}`],
  'clearing it by OR REPLACE': ({ id }) => [
    `UPDATE OR REPLACE api_key SET revoked_at = NULL WHERE id = ${id}`,
  ],
  'an empty revoked_at': ({ id }) => [`UPDATE api_key SET revoked_at = '' WHERE id = ${id}`],
  'taking the id of a living key': ({ id, livingId }) => [
    `UPDATE OR REPLACE api_key SET id = ${livingId} WHERE id = ${id}`,
  ],
  'giving its id to a living key': ({ id, livingId }) => [
    `UPDATE OR REPLACE api_key SET id = ${id} WHERE id = ${livingId}`,
  ],
  'inserting the key by OR IGNORE': ({ id }) => [
    `INSERT OR IGNORE INTO api_key ${aKeyRow} VALUES (${id}, 'ws_a', 'x', 'x', 'x', '', 1)`,
  ],
  'replacing the key': ({ id }) => [
    `REPLACE INTO api_key ${aKeyRow} VALUES (${id}, 'ws_a', 'x', 'x', 'x', '', 1)`,
  ],
  'replacing the key by a copy of a living one': ({ id, livingId }) => [
    `INSERT OR REPLACE INTO api_key ${aKeyRow}
       SELECT ${id}, workspace_id, created_by, name, name_folded, scopes, created_at FROM api_key WHERE id = ${livingId}`,
  ],
  'giving the hash to the secret of a living key': ({ hash, livingHash }) => [
    `UPDATE OR REPLACE api_key_secret SET hash = ${hash} WHERE hash = ${livingHash}`,
  ],
  'replacing the secret': ({ hash, livingId }) => [
    `REPLACE INTO api_key_secret ${aSecretRow} VALUES (${hash}, ${livingId}, 'sk_live_', 'a', 'b', 1)`,
  ],
  'one dead hash in place of another': ({ hash }) => [
    `UPDATE OR REPLACE dead_hash SET hash = ${hash} WHERE hash <> ${hash}`,
  ],
  'a temporary trigger that clears revoked_at': ({ id, livingId }) => [
    `CREATE TEMP TRIGGER raise_dead AFTER UPDATE ON main.api_key
       BEGIN UPDATE api_key SET revoked_at = NULL WHERE id = ${id}; END`,
    `UPDATE api_key SET name = 'x' WHERE id = ${livingId}`,
  ],
  'a temporary trigger on the burial of another key': ({ id, livingId }) => [
    `CREATE TEMP TRIGGER raise_dead AFTER INSERT ON main.dead_hash
       BEGIN UPDATE api_key SET revoked_at = NULL WHERE id = ${id}; END`,
    `UPDATE api_key SET revoked_at = 1 WHERE id = ${livingId}`,
  ],
  'a temporary trigger that digs up': ({ livingId }) => [
    'CREATE TEMP TRIGGER dig AFTER UPDATE ON main.api_key BEGIN DELETE FROM dead_hash; END',
    `UPDATE api_key SET name = 'x' WHERE id = ${livingId}`,
  ],
};

/** These succeed; what they do must not help. */
const harmless: Record<string, Attack> = {
  ...harmlessOnBoth,
  'burying the hash twice': ({ hash }) => [`INSERT OR IGNORE INTO dead_hash (hash) VALUES (${hash})`],
  'the hash as a text': ({ hash, livingId }) => [
    `INSERT INTO api_key_secret ${aSecretRow} VALUES (CAST(${hash} AS TEXT), ${livingId}, 'sk_live_', 'a', 'b', 1)`,
  ],
  'an order to ignore what the triggers say': ({ id }) => [
    'CREATE TEMP TRIGGER ignore BEFORE UPDATE ON main.api_key BEGIN SELECT RAISE(IGNORE); END',
    `UPDATE api_key SET name = 'x' WHERE id = ${id}`,
  ],
};

const settings = {
  'as the application sets the connection': [],
  'with recursive_triggers off': ['PRAGMA recursive_triggers = OFF'],
  'with foreign keys off': ['PRAGMA foreign_keys = OFF'],
  'with foreign keys and recursive_triggers off': [
    'PRAGMA foreign_keys = OFF',
    'PRAGMA recursive_triggers = OFF',
  ],
};

for (const [setting, pragmas] of Object.entries(settings)) {
  for (const [name, attack] of Object.entries(refused)) {
    test(`the database refuses ${name}, ${setting}`, async () => {
      await withGraves(pragmas, async (graveyard, names) => {
        await assert.rejects(
          graveyard.attack(['PRAGMA defer_foreign_keys = ON', ...attack(names)]),
          /soku: /,
        );
      });
    });
  }
  for (const [name, attack] of Object.entries(harmless)) {
    test(`${name} brings no key back, ${setting}`, async () => {
      await withGraves(pragmas, (graveyard, names) => graveyard.attack(attack(names)));
    });
  }
}

test('a dead hash that is replaced by itself is still dead', async () => {
  await withGraves([], async ({ attack }, { hash }) => {
    await assert.rejects(attack([`REPLACE INTO dead_hash (hash) VALUES (${hash})`]), /soku: /);
  });
  await withGraves(['PRAGMA recursive_triggers = OFF'], ({ attack }, { hash }) =>
    attack([`REPLACE INTO dead_hash (hash) VALUES (${hash})`]),
  );
});

test('a key that is revoked by a plain UPDATE is as dead as any other', async () => {
  await withGraves([], async (graveyard, { livingId, livingHash }) => {
    const [living] = graveyard.living;
    await graveyard.attack([`UPDATE api_key SET revoked_at = 1 WHERE id = ${livingId}`]);
    assert.equal(await graveyard.verify(living.apiKey), 'revoked_key');
    assert.ok(deadHashes(graveyard).includes(livingHash));
  });
});

test('Kysely, as the rooms use it, cannot bring a key back either', async () => {
  await withGraves([], async ({ database: { kysely }, dead: [dead] }) => {
    await assert.rejects(
      kysely.updateTable('api_key').set({ revoked_at: null }).where('id', '=', dead.id).execute(),
      /a revoked key stays revoked/,
    );
    await assert.rejects(
      kysely.deleteFrom('dead_hash').where('hash', '=', dead.hash).execute(),
      /stays dead/,
    );
    await assert.rejects(kysely.deleteFrom('api_key').where('id', '=', dead.id).execute(), /never deleted/);
  });
});

/** Opens a copy of the graves, runs an attack on the first dead key, and looks whether it is as dead as before. */
async function withGraves(
  pragmas: readonly string[],
  run: (graveyard: Graveyard, names: Names) => Promise<void>,
): Promise<void> {
  const graveyard = await graves.open();
  try {
    const [dead, otherDead] = graveyard.dead;
    const [living] = graveyard.living;
    assert.equal(await graveyard.verify(living.apiKey), 'accepted');
    for (const pragma of pragmas) await graveyard.pragma(pragma);
    const names = {
      id: `'${dead.id}'`,
      hash: dead.hashSql,
      livingId: `'${living.id}'`,
      livingHash: living.hashSql,
      strangeHash: "x'00'",
    };
    await run(graveyard, names);
    assert.equal(await graveyard.verify(dead.apiKey), 'revoked_key');
    assert.equal(await graveyard.verify(otherDead.apiKey), 'revoked_key');
    assert.ok(deadHashes(graveyard).includes(dead.hashSql));
  } finally {
    await graveyard.close();
  }
}

function deadHashes({ database }: Graveyard): string[] {
  const rows = database.reader.prepare('SELECT hex(hash) AS hash FROM dead_hash').all();
  return z
    .array(z.object({ hash: z.string() }))
    .parse(rows)
    .map(({ hash }) => `x'${hash.toLowerCase()}'`);
}
