/** Pages of any list, compared with a simple model, in both databases and with each way to find the keys. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { keySortSchema, sortOrderSchema, statusFilterSchema } from '@soku/contract/keys';
import fc from 'fast-check';
import type { Kysely } from 'kysely';
import { times } from '../../../../test/support/long.ts';
import { firstCreation, newKey } from '../../../../test/support/new-key.ts';
import { databases, openTestDatabase } from '../../../../test/support/open-database.ts';
import { foldName } from '../database/fold-name.ts';
import type { Tables } from '../database/schema.ts';
import { newId } from '../ids.ts';
import { useStep } from '../usage/hours.ts';
import type { KeyFilter } from './list-filter.ts';
import type { KeyPlace } from './list-order.ts';
import { KeyListReader, type ListBounds, type PageRequest } from './list-reader.ts';
import { readSearch } from './search-text.ts';
import { insertKey } from './writes.ts';

/** A key of the model. Times are in minutes after the creation of the first key. */
interface ModelKey {
  id: string;
  hash: Uint8Array;
  name: string;
  createdAt: number;
  createdBy: string;
  scopes: readonly ('keys:read' | 'keys:write')[];
  expiresAt: number | null;
  revoked: boolean;
  usedAt: number | null;
}

const minute = 60_000;
/** In minutes. */
const now = 1000;

const timeInMinutes = (time: number) => firstCreation - (firstCreation % useStep) + time * minute;

const arbitraryKey = fc.record({
  name: fc.constantFrom('a', 'A', 'b', 'ä', 'z', 'Zz', '10', '9', '\u{1f600}', '\uffee'),
  createdAt: fc.integer({ min: 0, max: 900 }),
  createdBy: fc.constantFrom('usr_1', 'usr_2'),
  scopes: fc.subarray(['keys:read', 'keys:write'] as const),
  expiresAt: fc.oneof(fc.constant(null), fc.integer({ min: 901, max: 1100 })),
  revoked: fc.boolean(),
  usedAt: fc.oneof(fc.constant(null), fc.constantFrom(950, 990, 994, 995, 999, 1000)),
});

const arbitraryFilter = fc.record({
  status: fc.constantFrom(...statusFilterSchema.options),
  search: fc.constantFrom(undefined, undefined, 'A', 'z', '9'),
  createdBy: fc.constantFrom(undefined, undefined, 'usr_1', 'usr_3'),
  scope: fc.constantFrom(undefined, undefined, 'keys:read', 'keys:w'),
  unusedSince: fc.constantFrom(undefined, undefined, 500, 960, 999),
  expiresUntil: fc.constantFrom(undefined, undefined, 1050),
});

type ModelFilter = typeof arbitraryFilter extends fc.Arbitrary<infer T> ? T : never;

function hasStatus({ revoked, expiresAt }: ModelKey, status: ModelFilter['status']): boolean {
  const expired = expiresAt !== null && expiresAt <= now;
  return status === 'all' || status === (revoked ? 'revoked' : expired ? 'expired' : 'active');
}

function matches(key: ModelKey, filter: ModelFilter): boolean {
  const { search, createdBy, scope, unusedSince, expiresUntil } = filter;
  return [
    hasStatus(key, filter.status),
    search === undefined || foldName(key.name).includes(foldName(search)),
    createdBy === undefined || key.createdBy === createdBy,
    scope === undefined || key.scopes.some((own) => own === scope),
    unusedSince === undefined ||
      (key.createdAt <= unusedSince && (key.usedAt === null || stepOf(key.usedAt) + 5 <= unusedSince)),
    expiresUntil === undefined ||
      (key.expiresAt !== null && key.expiresAt > now && key.expiresAt <= expiresUntil),
  ].every(Boolean);
}

/** The start of the five minutes of a use. */
function stepOf(time: number): number {
  return time - (time % 5);
}

/** What a sort compares; null comes last. */
const compared: Record<PageRequest['sort'], (key: ModelKey) => Buffer | number | null> = {
  created: () => 0,
  name: ({ name }) => Buffer.from(foldName(name)),
  lastUsed: ({ usedAt }) => usedAt && stepOf(usedAt),
  expires: ({ expiresAt }) => expiresAt,
};

function inOrder(keys: readonly ModelKey[], { sort, order }: Pick<PageRequest, 'sort' | 'order'>): string[] {
  const sign = order === 'asc' ? 1 : -1;
  const comparedOf = compared[sort];
  const compare = (a: ModelKey, b: ModelKey) => {
    const [one, other] = [comparedOf(a), comparedOf(b)];
    if (one === null || other === null) {
      return Number(one === null) - Number(other === null) || sign * compareIds(a, b);
    }
    const difference =
      Buffer.isBuffer(one) && Buffer.isBuffer(other)
        ? Buffer.compare(one, other)
        : Number(one) - Number(other);
    return sign * (difference || compareIds(a, b));
  };
  return keys.toSorted(compare).map(({ id }) => id);
}

const compareIds = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : Number(a.id > b.id));

function toKeyFilter(filter: ModelFilter): KeyFilter {
  const { search, unusedSince, expiresUntil } = filter;
  return {
    ...filter,
    search: search === undefined ? undefined : readSearch(search),
    unusedSince: unusedSince === undefined ? undefined : timeInMinutes(unusedSince),
    expiresUntil: expiresUntil === undefined ? undefined : timeInMinutes(expiresUntil),
    now: timeInMinutes(now),
  };
}

/** In each of them, other ways to find the keys are usual. */
const bounds: ListBounds[] = [
  { narrowed: 1000, reaches: [4, 40], keysPerRead: 5000 },
  { narrowed: 0, reaches: [1, 2], keysPerRead: 7 },
  { narrowed: 3, reaches: [], keysPerRead: 1 },
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
    const { name, createdBy, scopes } = key;
    const stored = newKey({
      ...{ workspaceId, name, createdBy, scopes, createdAt },
      expiresAt: expiresAt === null ? null : timeInMinutes(expiresAt),
      // A preview that no search of the model finds.
      preview: { prefix: 'sk_live_', previewStart: '000', previewEnd: '000' },
    });
    await db.transaction().execute((transaction) => insertKey(transaction, stored, null, 1000, () => null));
    if (key.revoked) {
      const revocation = { revoked_at: createdAt, revoked_by: 'usr_1' };
      await db.updateTable('api_key').set(revocation).where('id', '=', stored.id).execute();
    }
    if (key.usedAt !== null) await use(db, stored, key.usedAt);
    return { ...key, id: stored.id, hash: stored.hash };
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
    const keys: ModelKey[] = [];
    for (const key of fc.sample(arbitraryKey, { numRuns: 60, seed: 1 }))
      keys.push(await insertModelKey(db, workspaceId, key));
    const elsewhere = await createWorkspace(db);
    for (const key of fc.sample(arbitraryKey, { numRuns: 5, seed: 2 }))
      await insertModelKey(db, elsewhere, key);
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
        const ordered = { sort, order, since: timeInMinutes(stepOf(now)) };
        const found = await readPages(reader, { workspaceId, filter: keyFilter, ...ordered, limit });
        const expected = keys.filter((key) => matches(key, filter));
        assert.deepEqual(found, inOrder(expected, ordered));
        const counts = await reader.count(workspaceId, keyFilter);
        const ofEachStatus = keys.filter((key) => matches(key, { ...filter, status: 'all' }));
        for (const status of statusFilterSchema.options) {
          const count = ofEachStatus.filter((key) => hasStatus(key, status)).length;
          assert.equal(counts[status], count, status);
        }
      }),
      { numRuns: times(150, 3000) },
    );
  });

  test(`keys that are added or used while pages are read move no others, on ${which}`, async () => {
    const { kysely: db } = (await opened).database;
    const list = fc.record({
      keys: fc.array(arbitraryKey, { minLength: 1, maxLength: 12 }),
      added: fc.array(arbitraryKey, { maxLength: 6 }),
      used: fc.array(fc.nat(11), { maxLength: 6 }),
      sort: fc.constantFrom(...keySortSchema.options),
      order: fc.constantFrom(...sortOrderSchema.options),
      limit: fc.integer({ min: 1, max: 4 }),
      bounds: fc.constantFrom(...bounds),
    });
    await fc.assert(
      fc.asyncProperty(list, async ({ keys, added, used, sort, order, limit, bounds: chosen }) => {
        const workspaceId = await createWorkspace(db);
        const first: ModelKey[] = [];
        for (const key of keys) first.push(await insertModelKey(db, workspaceId, key));
        const stable = new Set(first);
        const [later, uses] = [[...added], [...used]];
        const between = async () => {
          const key = later.pop();
          if (key !== undefined) await insertModelKey(db, workspaceId, key);
          const usedKey = first[uses.pop() ?? -1];
          if (usedKey === undefined) return;
          await use(db, usedKey, now + 5 + uses.length);
          // A key that was in use when the first page was read keeps its place; another one moves.
          if ((usedKey.usedAt ?? 0) < stepOf(now)) stable.delete(usedKey);
        };
        const filter = toKeyFilter({ ...everyKey, status: 'all' });
        const ordered = { sort, order, since: timeInMinutes(stepOf(now)) };
        const request = { workspaceId, filter, ...ordered, limit };
        const found = await readPages(new KeyListReader(db, chosen), request, between);
        const mayRepeat = sort === 'lastUsed' && order === 'asc';
        assert.ok(mayRepeat || new Set(found).size === found.length, 'no key is repeated');
        const expected = inOrder(
          first.filter((key) => stable.has(key) || sort !== 'lastUsed'),
          ordered,
        );
        const others = new Set(expected);
        assert.deepEqual(
          found.filter((id) => others.has(id)),
          expected,
        );
      }),
      { numRuns: times(25, 500) },
    );
  });
}

const everyKey: Omit<ModelFilter, 'status'> = {
  search: undefined,
  createdBy: undefined,
  scope: undefined,
  unusedSince: undefined,
  expiresUntil: undefined,
};
