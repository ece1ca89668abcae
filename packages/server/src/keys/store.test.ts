import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import type { Kysely } from 'kysely';
import { databases, openTestDatabase, whenWaiting } from '../../../../test/support/open-database.ts';
import type { Tables } from '../database/schema.ts';
import { newId } from '../ids.ts';
import { KeyStore } from './store.ts';
import { insertKey, type NewKey, updateKey } from './writes.ts';

/** Epoch ms. */
const start = 1_700_000_000_000;
const day = 24 * 60 * 60 * 1000;

function newKey(fields: Partial<NewKey> = {}): NewKey {
  const createdAt = fields.createdAt ?? start;
  return {
    id: newId('key_', createdAt),
    workspaceId: 'ws_a',
    createdBy: 'usr_1',
    createdByKey: false,
    name: 'a key',
    scopes: [],
    expiresAt: null,
    createdAt,
    hash: randomBytes(32),
    preview: { prefix: 'sk_live_', previewStart: 'abc', previewEnd: 'xyz' },
    ...fields,
  };
}

const insert = (kysely: Kysely<Tables>, key: NewKey, token: Uint8Array | null = null, most = 1000) =>
  kysely.transaction().execute((db) => insertKey(db, key, token, most, () => null));

const page = { status: 'all', search: '', after: undefined, limit: 100, now: start } as const;

for (const which of databases) {
  const opened = openTestDatabase(which);
  after(async () => (await opened).close());

  /** Creates a separate workspace for each test. */
  const scene = async () => {
    const { database } = await opened;
    const workspaceId = newId('ws_', start);
    await database.kysely
      .insertInto('workspace')
      .values({ id: workspaceId, name: 'x', created_at: 1 })
      .execute();
    return { database, db: database.kysely, workspaceId, store: new KeyStore(database.kysely) };
  };

  test(`a key is listed once, with its newest secret, on ${which}`, async () => {
    const { db, workspaceId, store } = await scene();
    const key = newKey({ workspaceId });
    await insert(db, key);
    const parts = { key_id: key.id, prefix: 'sk_live_', preview_end: 'xyz' };
    await db
      .insertInto('api_key_secret')
      .values([
        { ...parts, hash: randomBytes(32), preview_start: 'new', created_at: start + 2 },
        { ...parts, hash: randomBytes(32), preview_start: 'old', created_at: start - 1 },
      ])
      .execute();
    const listed = await store.list(workspaceId, page);
    assert.deepEqual(
      listed.map(({ id, preview_start }) => [id, preview_start]),
      [[key.id, 'new']],
    );
    const found = await db
      .transaction()
      .execute((transaction) => new KeyStore(transaction).find(workspaceId, key.id, { locked: true }));
    assert.equal(found?.preview_start, 'new');
    assert.equal((await store.count(workspaceId, page)).all, 1);
  });

  test(`keys are listed newest first, page by page, on ${which}`, async () => {
    const { db, workspaceId, store } = await scene();
    const created: string[] = [];
    // Long enough for digits and letters to change in several positions of the id.
    for (let i = 0; i < 60; i++) {
      const key = newKey({ workspaceId, createdAt: start + i * 7_919_000 });
      await insert(db, key);
      created.unshift(key.id);
    }
    const found: string[] = [];
    for (;;) {
      const rows = await store.list(workspaceId, { ...page, after: found.at(-1), limit: 7 });
      if (rows.length === 0) break;
      found.push(...rows.map(({ id }) => id));
    }
    assert.deepEqual(found, created);
  });

  test(`a name is found in any case and script, with or without accents, on ${which}`, async () => {
    const { db, workspaceId, store } = await scene();
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
    for (const name of names) await insert(db, newKey({ workspaceId, name }));
    const find = async (search: string) =>
      (await store.list(workspaceId, { ...page, search })).map(({ name }) => name).sort();
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
    assert.equal((await store.count(workspaceId, { search: '10', now: start })).all, 2);
  });

  test(`a key is found only by its own preview, id and hash, on ${which}`, async () => {
    const { db, workspaceId, store } = await scene();
    const preview = { prefix: 'sk_live_', previewStart: '2bA', previewEnd: 'iXy' };
    const sought = newKey({ workspaceId, preview, name: 'sought' });
    const older = newKey({ workspaceId, preview: { ...preview, prefix: 'old_' }, name: 'older' });
    const other = newKey({ workspaceId, name: 'other' });
    const elsewhere = newKey({ workspaceId: (await scene()).workspaceId, preview, name: 'elsewhere' });
    for (const key of [sought, older, other, elsewhere]) await insert(db, key);
    const find = async (search: string, hash?: Uint8Array) => {
      const filter = { ...page, search, hash };
      const names = (await store.list(workspaceId, filter)).map(({ name }) => name).sort();
      assert.equal((await store.count(workspaceId, filter)).all, names.length);
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
    assert.deepEqual(await find('', sought.hash), ['sought']);
    assert.deepEqual(await find('', elsewhere.hash), []);
    assert.deepEqual(await find('other', sought.hash), []);
  });

  test(`numbers are read as they were written, including the largest, on ${which}`, async () => {
    const { db, workspaceId, store } = await scene();
    const expiresAt = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
    const key = newKey({ workspaceId, expiresAt });
    await insertKey(db, key, null, 10, () => 1_000_000_000);
    const row = await store.find(workspaceId, key.id);
    assert.deepEqual(
      [row?.expires_at, row?.created_at, row?.rate_limit, row?.revoked_at],
      [expiresAt, start, 1_000_000_000, null],
    );
  });

  test(`only active keys count toward the limit, on ${which}`, async () => {
    const { database, db, workspaceId, store } = await scene();
    const keys = [
      newKey({ workspaceId }),
      newKey({ workspaceId }),
      newKey({ workspaceId, expiresAt: start + 5 }),
    ];
    for (const key of keys)
      assert.deepEqual(await insert(db, key, null, 3), { outcome: 'created', rateLimit: null });
    assert.deepEqual(await insert(db, newKey({ workspaceId }), null, 3), { outcome: 'full' });
    const revocation = { revoked_at: start, revoked_by: 'usr_1' };
    await database.kysely
      .updateTable('api_key')
      .set(revocation)
      .where('id', '=', keys[0]?.id ?? '')
      .execute();
    assert.deepEqual(await insert(db, newKey({ workspaceId }), null, 3), {
      outcome: 'created',
      rateLimit: null,
    });
    const later = newKey({ workspaceId, createdAt: start + 5 });
    assert.deepEqual(await insert(db, later, null, 3), { outcome: 'created', rateLimit: null });
    const counts = await store.count(workspaceId, { search: '', now: start + 5 });
    assert.deepEqual(counts, { active: 3, revoked: 1, expired: 1, all: 5 });
  });

  test(`an Idempotency-Key belongs to one workspace and expires after a day, on ${which}`, async () => {
    const [{ db, workspaceId }, other] = [await scene(), await scene()];
    const token = randomBytes(32);
    const first = newKey({ workspaceId });
    await insert(db, first, token);
    const replayed = { outcome: 'replayed', keyId: first.id };
    assert.deepEqual(await insert(db, newKey({ workspaceId, createdAt: start + day }), token), replayed);
    const elsewhere = newKey({ workspaceId: other.workspaceId });
    assert.deepEqual(await insert(db, elsewhere, token), { outcome: 'created', rateLimit: null });
    const next = newKey({ workspaceId, createdAt: start + day + 1 });
    assert.deepEqual(await insert(db, next, token), { outcome: 'created', rateLimit: null });
    assert.deepEqual(await insert(db, newKey({ workspaceId, createdAt: start + day + 2 }), token), {
      outcome: 'replayed',
      keyId: next.id,
    });
  });

  if (which === 'sqlite') continue;

  test(`a key that is being revoked cannot create or change other keys, on ${which}`, async () => {
    const { database, db, workspaceId } = await scene();
    assert.ok(database.kind === 'postgres');
    const [creator, changed] = [newKey({ workspaceId }), newKey({ workspaceId })];
    await insert(db, creator);
    await insert(db, changed);
    const { id: createdBy } = creator;
    const child = newKey({ workspaceId, createdBy, createdByKey: true });
    const session = await database.pool.connect();
    try {
      await session.query('BEGIN');
      await session.query('UPDATE api_key SET revoked_at = 1 WHERE id = $1', [createdBy]);
      const created = insert(db, child);
      const target = { workspaceId, id: changed.id, byKey: createdBy };
      const renamed = db
        .transaction()
        .execute((transaction) => updateKey(transaction, target, { name: 'x' }, () => undefined));
      await whenWaiting(database, [created, renamed]);
      await session.query('COMMIT');
      assert.deepEqual(
        [await created, await renamed],
        [{ outcome: 'creator revoked' }, { outcome: 'caller revoked' }],
      );
    } finally {
      session.release();
    }
  });
}
