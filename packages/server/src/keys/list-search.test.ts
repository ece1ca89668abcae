/** Which keys a search finds, in both databases. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { firstCreation, insertNewKey, newKey } from '../../../../test/support/new-key.ts';
import { databases, openTestDatabase } from '../../../../test/support/open-database.ts';
import { newId } from '../ids.ts';
import type { KeyFilter } from './list-filter.ts';
import { KeyListReader } from './list-reader.ts';
import { readSearch } from './search-text.ts';
import { KeyStore } from './store.ts';

const start = firstCreation;

for (const which of databases) {
  const opened = openTestDatabase(which);
  after(async () => (await opened).close());

  /** Creates a separate workspace for each test. */
  const setUp = async () => {
    const { kysely: db } = (await opened).database;
    const workspaceId = newId('ws_', start);
    await db.insertInto('workspace').values({ id: workspaceId, name: 'x', created_at: 1 }).execute();
    const reader = new KeyListReader(db);
    const all = { status: 'all', now: start } as const;
    const order = { sort: 'created', order: 'desc', since: start, after: undefined, limit: 100 } as const;
    const list = async (filter: Partial<KeyFilter>) => {
      const places = await reader.page({ workspaceId, filter: { ...all, ...filter }, ...order });
      const ids = places.map(({ id }) => id);
      return ids.length === 0 ? [] : new KeyStore(db).findAll(workspaceId, ids);
    };
    const count = async (filter: Partial<KeyFilter>) =>
      (await reader.count(workspaceId, { ...all, ...filter })).all;
    return { db, workspaceId, list, count };
  };

  test(`a key is listed once, with its newest secret, on ${which}`, async () => {
    const { db, workspaceId, list, count } = await setUp();
    const key = newKey({ workspaceId });
    await insertNewKey(db, key);
    const parts = { key_id: key.id, prefix: 'sk_live_', preview_end: 'xyz' };
    await db
      .insertInto('api_key_secret')
      .values([
        { ...parts, hash: randomBytes(32), preview_start: 'new', created_at: start + 2 },
        { ...parts, hash: randomBytes(32), preview_start: 'old', created_at: start - 1 },
      ])
      .execute();
    const listed = await list({});
    assert.deepEqual(
      listed.map(({ id }) => id),
      [key.id],
    );
    const secrets = (await new KeyStore(db).secretsOf([key.id])).get(key.id) ?? [];
    assert.deepEqual(
      secrets.map(({ preview_start }) => preview_start),
      ['new', 'abc', 'old'],
    );
    assert.equal(await count({}), 1);
  });

  test(`a name is found in any case and script, with or without accents, on ${which}`, async () => {
    const { db, workspaceId, list, count } = await setUp();
    const names = [
      'Straße 10%',
      'STRASSE_10',
      'ＦＵＬＬ width',
      'back\\slash',
      'résumé',
      'İstanbul',
      'ΑΘΗΝΑΣ',
      'Łódź',
      '😀 smile',
    ];
    for (const name of names) await insertNewKey(db, newKey({ workspaceId, name }));
    const find = async (search: string) =>
      (await list({ search: readSearch(search) })).map(({ name }) => name).sort();
    assert.deepEqual(await find('straße'), ['STRASSE_10', 'Straße 10%']);
    assert.deepEqual(await find('STRASSE'), ['STRASSE_10', 'Straße 10%']);
    assert.deepEqual(await find('10%'), ['Straße 10%']);
    assert.deepEqual(await find('e_1'), ['STRASSE_10']);
    assert.deepEqual(await find('full'), ['ＦＵＬＬ width']);
    assert.deepEqual(await find('K\\S'), ['back\\slash']);
    for (const search of ['RÉSUMÉ', 'resume', 're\u0301sume\u0301', 'rèsumè']) {
      assert.deepEqual(await find(search), ['résumé'], search);
    }
    for (const search of ['istanbul', 'ISTANBUL', 'İSTANBUL', 'ıstanbul']) {
      assert.deepEqual(await find(search), ['İstanbul'], search);
    }
    for (const search of ['αθηνας', 'αθηνασ', 'Αθήνας', 'σ'])
      assert.deepEqual(await find(search), ['ΑΘΗΝΑΣ']);
    assert.deepEqual(await find('lodz'), ['Łódź']);
    assert.deepEqual(await find('😀'), ['😀 smile']);
    assert.deepEqual(await find("' OR 1=1 --"), []);
    assert.equal(await count({ search: readSearch('10') }), 2);
  });

  test(`a key is found only by its own preview, id and hash, on ${which}`, async () => {
    const { db, workspaceId, list, count } = await setUp();
    const preview = { prefix: 'sk_live_', previewStart: '2bA', previewEnd: 'iXy' };
    const sought = newKey({ workspaceId, preview, name: 'sought' });
    const older = newKey({ workspaceId, preview: { ...preview, prefix: 'old_' }, name: 'older' });
    const other = newKey({ workspaceId, name: 'other' });
    const elsewhere = newKey({ workspaceId: (await setUp()).workspaceId, preview, name: 'elsewhere' });
    for (const key of [sought, older, other, elsewhere]) await insertNewKey(db, key);
    const find = async (search: string, hash?: Uint8Array) => {
      const filter = { search: search === '' ? undefined : readSearch(search), hash };
      const names = (await list(filter)).map(({ name }) => name).sort();
      assert.equal(await count(filter), names.length);
      return names;
    };
    for (const search of ['2bA', '2ba', 'iXy', '2bA...', '2bA...i', '...iXy', '2bA…iXy', '2BA***IXY']) {
      assert.deepEqual(await find(search), ['older', 'sought'], search);
    }
    const whole = [
      'sk_live_2',
      'sk_live_2bA',
      'live_2bA',
      'sk_live_2bA...iXy',
      'SK_LIVE_2ba...ixy',
      'sk_live_...i',
    ];
    for (const search of whole) assert.deepEqual(await find(search), ['sought'], search);
    assert.deepEqual(await find('sk_live_'), ['other', 'sought']);
    assert.deepEqual(await find('old_'), ['older']);
    for (const search of ['k_live', 'e_2', '2bAx', 'xsk_live_2bA', '2bA...z', '_', '...', '2b', 'x.y']) {
      assert.deepEqual(await find(search), [], search);
    }
    const { id } = sought;
    for (const search of [id, id.slice(4), id.toUpperCase(), id.slice(-8)]) {
      assert.deepEqual(await find(search), ['sought'], search);
    }
    assert.deepEqual(await find(elsewhere.id), []);
    assert.deepEqual(await find('', sought.secret.hash), ['sought']);
    assert.deepEqual(await find('', elsewhere.secret.hash), []);
    assert.deepEqual(await find('other', sought.secret.hash), []);
  });
}
