/** Pages of any list, compared with a simple model, in both databases and with each way to find the keys. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { keySortSchema, sortOrderSchema, statusFilterSchema } from '@soku/contract/keys';
import fc from 'fast-check';
import type { Kysely } from 'kysely';
import {
  arbitraryFilter,
  arbitraryKey,
  everyKey,
  type ModelKey,
  matches,
  modelHasStatus,
  modelNow,
  modelSince,
  rankingOf,
  sortedIds,
  staysAfterUse,
  timeInMinutes,
  toKeyFilter,
} from '../../../../test/support/list-model.ts';
import { firstCreation, insertNewKey, newKey } from '../../../../test/support/new-key.ts';
import { databases, openTestDatabase } from '../../../../test/support/open-database.ts';
import { runCount } from '../../../../test/support/run-count.ts';
import type { Tables } from '../database/schema.ts';
import { newId } from '../ids.ts';
import type { KeyPlace } from './list-order.ts';
import { KeyListReader, type ListBounds, type PageRequest } from './list-reader.ts';

/** In each of them, other ways to find the keys are usual. */
const bounds: ListBounds[] = [
  { narrowed: 1000, resolved: 5000, reaches: [4, 40], keysPerRead: 5000 },
  { narrowed: 0, resolved: 0, reaches: [1, 2], keysPerRead: 7 },
  { narrowed: 3, resolved: 5, reaches: [], keysPerRead: 1 },
];

for (const which of databases) {
  const opened = openTestDatabase(which);
  after(async () => (await opened).close());
  const createWorkspace = async (db: Kysely<Tables>) => {
    const workspaceId = newId('ws_', firstCreation);
    await db.insertInto('workspace').values({ id: workspaceId, name: 'x', created_at: 1 }).execute();
    return workspaceId;
  };

  const insertModelKey = async (
    db: Kysely<Tables>,
    workspaceId: string,
    key: Omit<ModelKey, 'id' | 'hash'>,
  ) => {
    const [createdAt, expiresAt] = [timeInMinutes(key.createdAt), key.expiresAt];
    const { name, createdBy, scopes, environment, externalId, preview } = key;
    const stored = newKey({ workspaceId, name, createdBy, createdAt, preview });
    await insertNewKey(db, stored, {
      scopes,
      environment,
      externalId,
      expiresAt: expiresAt === null ? null : timeInMinutes(expiresAt),
    });
    const { hash } = stored.secret;
    if (key.disabled) {
      await db.updateTable('api_key').set({ disabled_at: createdAt }).where('id', '=', stored.id).execute();
    }
    if (key.revoked) await revoke(db, [stored], createdAt);
    if (key.usedAt !== null) await use(db, { id: stored.id, hash }, key.usedAt);
    return { ...key, id: stored.id, hash };
  };

  const revoke = async (db: Kysely<Tables>, keys: readonly { id: string }[], at: number) => {
    for (const { id } of keys) {
      const revocation = { revoked_at: at, revoked_by: 'usr_1' };
      await db.updateTable('api_key').set(revocation).where('id', '=', id).execute();
    }
  };

  /** As usage writes it. */
  const use = async (db: Kysely<Tables>, { id, hash }: Pick<ModelKey, 'id' | 'hash'>, minutes: number) => {
    const at = timeInMinutes(minutes);
    await db
      .insertInto('last_use')
      .values({ key_id: id, hash, at, address: '', agent: '' })
      .onConflict((conflict) => conflict.columns(['key_id', 'hash']).doUpdateSet({ at }))
      .execute();
  };

  /** All pages. @param between called before each page except the first */
  const readPages = async (
    reader: KeyListReader,
    request: Omit<PageRequest, 'after'>,
    between: () => Promise<void> = async () => undefined,
  ) => {
    const found: KeyPlace[] = [];
    for (;;) {
      const places = await reader.page({ ...request, limit: request.limit + 1, after: found.at(-1) });
      found.push(...places.slice(0, request.limit));
      if (places.length <= request.limit) return found.map(({ id }) => id);
      await between();
    }
  };

  test(`the pages of any list are the matching keys in order, on ${which}`, async () => {
    const { kysely: db } = (await opened).database;
    const workspaceId = await createWorkspace(db);
    const elsewhere = await createWorkspace(db);
    const keys: ModelKey[] = [];
    // In one transaction, because each commit waits for the disk.
    await db.transaction().execute(async (together) => {
      for (const key of fc.sample(arbitraryKey, { numRuns: 60, seed: 1 }))
        keys.push(await insertModelKey(together, workspaceId, key));
      for (const key of fc.sample(arbitraryKey, { numRuns: 5, seed: 2 }))
        await insertModelKey(together, elsewhere, key);
    });
    const list = fc.record({
      filter: arbitraryFilter,
      sort: fc.constantFrom(...keySortSchema.options),
      order: fc.constantFrom(...sortOrderSchema.options),
      limit: fc.integer({ min: 1, max: 70 }),
      bounds: fc.constantFrom(...bounds),
    });
    await fc.assert(
      fc.asyncProperty(list, async ({ filter, sort, order, limit, bounds: chosen }) => {
        const reader = new KeyListReader(db, chosen);
        const keyFilter = toKeyFilter(filter);
        const ordered = { sort, order, since: modelSince };
        const ranking = sort === 'usage' ? rankingOf(keys) : undefined;
        const request = { workspaceId, filter: keyFilter, ...ordered, ranking, limit };
        const found = await readPages(reader, request);
        const expected = keys.filter((key) => matches(key, filter));
        assert.deepEqual(found, sortedIds(expected, ordered));
        const counts = await reader.count(workspaceId, keyFilter);
        const ofEachStatus = keys.filter((key) => matches(key, { ...filter, status: 'all' }));
        for (const status of statusFilterSchema.options) {
          const count = ofEachStatus.filter((key) => modelHasStatus(key, status)).length;
          assert.equal(counts[status], count, status);
        }
      }),
      { numRuns: runCount(60, 3000) },
    );
  });

  test(`keys that are added, used or revoked while pages are read move no others, on ${which}`, async () => {
    const { kysely: db } = (await opened).database;
    const list = fc.record({
      keys: fc.array(arbitraryKey, { minLength: 1, maxLength: 12 }),
      added: fc.array(arbitraryKey, { maxLength: 6 }),
      used: fc.array(fc.nat(11), { maxLength: 6 }),
      revoked: fc.array(fc.nat(11), { maxLength: 6 }),
      sort: fc.constantFrom(...keySortSchema.options),
      order: fc.constantFrom(...sortOrderSchema.options),
      limit: fc.integer({ min: 1, max: 4 }),
      bounds: fc.constantFrom(...bounds),
    });
    await fc.assert(
      fc.asyncProperty(list, async ({ keys, added, used, revoked, sort, order, limit, bounds: chosen }) => {
        const workspaceId = await createWorkspace(db);
        const first: ModelKey[] = [];
        await db.transaction().execute(async (together) => {
          for (const key of keys) first.push(await insertModelKey(together, workspaceId, key));
        });
        const stable = new Set(first);
        const [later, uses] = [[...added], [...used]];
        const revocations = revoked.flatMap((i) => first[i] ?? []).filter((key) => !key.revoked);
        const between = async () => {
          for (const key of later.splice(-1)) await insertModelKey(db, workspaceId, key);
          await revoke(db, revocations.splice(-1), modelSince + 1);
          const usedKey = first[uses.pop() ?? -1];
          if (usedKey === undefined) return;
          await use(db, usedKey, modelNow + 5 + uses.length);
          if (!staysAfterUse(usedKey, sort)) stable.delete(usedKey);
        };
        const filter = toKeyFilter({ ...everyKey, status: 'all' });
        const ordered = { sort, order, since: modelSince };
        const ranking = sort === 'usage' ? rankingOf(first) : undefined;
        const request = { workspaceId, filter, ...ordered, ranking, limit };
        const found = await readPages(new KeyListReader(db, chosen), request, between);
        const mayRepeat = sort === 'lastUsed' && order === 'asc';
        assert.ok(mayRepeat || new Set(found).size === found.length, 'no key is repeated');
        const expected = sortedIds(
          first.filter((key) => stable.has(key) || (sort !== 'lastUsed' && sort !== 'usage')),
          ordered,
        );
        const others = new Set(expected);
        assert.deepEqual(
          found.filter((id) => others.has(id)),
          expected,
        );
      }),
      { numRuns: runCount(15, 500) },
    );
  });
}
