/** Keys, filters and orders of lists, as a simple model. */
import { type KeySort, type SortOrder, statusFilterSchema } from '@soku/contract/keys';
import { formatPreview } from '@soku/key';
import fc from 'fast-check';
import { foldName } from '../../packages/server/src/database/fold-name.ts';
import type { KeyFilter } from '../../packages/server/src/keys/list-filter.ts';
import { readSearch } from '../../packages/server/src/keys/search-text.ts';
import { type DayRanking, dayStartOf } from '../../packages/server/src/usage/day-ranking.ts';
import { lastUseStepMs } from '../../packages/server/src/usage/hours.ts';
import { firstCreation } from './new-key.ts';

/** A key of the model. Times are in minutes after the creation of the first key. */
export interface ModelKey {
  id: string;
  hash: Uint8Array;
  name: string;
  createdAt: number;
  createdBy: string;
  scopes: readonly ('keys:read' | 'keys:write' | 'keys:*')[];
  environment: 'live' | 'test';
  externalId: string | null;
  expiresAt: number | null;
  revoked: boolean;
  disabled: boolean;
  usedAt: number | null;
  /** In the last 24 hours, if it was used then. */
  accepted: number;
  preview: { prefix: string; previewStart: string; previewEnd: string };
}

const minute = 60_000;
/** In minutes. */
export const modelNow = 1000;

export const timeInMinutes = (time: number) =>
  firstCreation - (firstCreation % lastUseStepMs) + time * minute;

export const arbitraryKey = fc.record({
  name: fc.constantFrom('a', 'A', 'b', 'ä', 'z', 'Zz', '10', '9', '\u{1f600}', '\uffee'),
  createdAt: fc.integer({ min: 0, max: 900 }),
  createdBy: fc.constantFrom('usr_1', 'usr_2'),
  scopes: fc.subarray(['keys:read', 'keys:write', 'keys:*'] as const),
  environment: fc.constantFrom('live', 'live', 'test'),
  externalId: fc.constantFrom(null, null, 'a', 'A', 'a%', "customer 'seven'"),
  expiresAt: fc.oneof(fc.constant(null), fc.integer({ min: 901, max: 1100 })),
  revoked: fc.boolean(),
  disabled: fc.boolean(),
  usedAt: fc.oneof(fc.constant(null), fc.constantFrom(-9000, -4000, 950, 990, 994, 995, 999, 1000)),
  accepted: fc.nat(3),
  preview: fc.record({
    prefix: fc.constantFrom('sk_live_', 'sk_', 'old_'),
    previewStart: fc.constantFrom('000', 'B00', 'b00'),
    previewEnd: fc.constantFrom('000', 'B00', 'b00'),
  }),
});

/** Searches for a part of a preview, with what they find. */
const searches: Record<string, (preview: ModelKey['preview']) => boolean> = {
  old_: ({ prefix }) => prefix === 'old_',
  sk_b: ({ prefix, previewStart }) => prefix === 'sk_' && previewStart !== '000',
  B00: ({ previewStart, previewEnd }) => previewStart !== '000' || previewEnd !== '000',
  '...b': ({ previewEnd }) => previewEnd !== '000',
};

export const arbitraryFilter = fc.record({
  status: fc.constantFrom(...statusFilterSchema.options),
  search: fc.constantFrom(undefined, undefined, 'A', 'z', '9', ...Object.keys(searches)),
  createdBy: fc.constantFrom(undefined, undefined, 'usr_1', 'usr_3'),
  scope: fc.constantFrom(undefined, undefined, 'keys:read', 'keys:w', 'keys:*'),
  environment: fc.constantFrom(undefined, undefined, undefined, 'live', 'test'),
  externalId: fc.constantFrom(undefined, undefined, undefined, 'a', 'a%', "customer 'seven'", 'none'),
  unusedSince: fc.constantFrom(undefined, undefined, 500, 960, 999),
  expiresUntil: fc.constantFrom(undefined, undefined, 1050),
});

type ModelFilter = typeof arbitraryFilter extends fc.Arbitrary<infer T> ? T : never;

/** A disabled key is also active. */
export function modelHasStatus(
  { revoked, expiresAt, disabled }: ModelKey,
  status: ModelFilter['status'],
): boolean {
  const expired = expiresAt !== null && expiresAt <= modelNow;
  if (status === 'disabled') return disabled && !revoked && !expired;
  return status === 'all' || status === (revoked ? 'revoked' : expired ? 'expired' : 'active');
}

export function matches(key: ModelKey, filter: ModelFilter): boolean {
  const { search, createdBy, scope, environment, externalId, unusedSince, expiresUntil } = filter;
  return [
    modelHasStatus(key, filter.status),
    search === undefined || foldName(key.name).includes(foldName(search)) || searches[search]?.(key.preview),
    createdBy === undefined || key.createdBy === createdBy,
    scope === undefined || key.scopes.some((own) => own === scope),
    environment === undefined || key.environment === environment,
    externalId === undefined || key.externalId === externalId,
    unusedSince === undefined ||
      (key.createdAt <= unusedSince && (key.usedAt === null || stepOf(key.usedAt) + 5 <= unusedSince)),
    expiresUntil === undefined ||
      (key.expiresAt !== null && key.expiresAt > modelNow && key.expiresAt <= expiresUntil),
  ].every(Boolean);
}

/** The start of the five minutes of a use. */
function stepOf(time: number): number {
  return time - (time % 5);
}

/** When the first page is read. Epoch ms. */
export const modelSince = timeInMinutes(stepOf(modelNow));

/** A part of the list, and the value that is compared within it. The parts come in the same sequence in both orders. */
type Compared = [part: number, value: Buffer | number];

const nullLast = (value: Buffer | number | null): Compared => (value === null ? [1, 0] : [0, value]);

const compared: Record<KeySort, (key: ModelKey) => Compared> = {
  created: () => [0, 0],
  name: ({ name }) => [0, Buffer.from(foldName(name))],
  lastUsed: ({ usedAt }) => nullLast(usedAt && stepOf(usedAt)),
  expires: ({ expiresAt }) => nullLast(expiresAt),
  preview: ({ preview }) => [0, Buffer.from(formatPreview(preview))],
  usage: (key) => {
    if (isInDay(key)) return key.accepted > 0 ? [0, key.accepted] : [1, 0];
    return key.usedAt === null ? [3, 0] : [2, stepOf(key.usedAt)];
  },
  status: (key) => [
    0,
    (['active', 'expired', 'revoked'] as const).findIndex((status) => modelHasStatus(key, status)),
  ],
};

/** Whether a key was used in the 24 hours of the ranking. */
const isInDay = ({ usedAt }: ModelKey) => usedAt !== null && timeInMinutes(usedAt) >= dayStartOf(modelSince);

/** Whether a key keeps its place in a list although it is used when a later page is read. */
export function staysAfterUse(key: ModelKey, sort: KeySort): boolean {
  return sort === 'usage' ? isInDay(key) : (key.usedAt ?? 0) >= stepOf(modelNow);
}

export function rankingOf(keys: readonly ModelKey[]): DayRanking {
  return { at: modelSince, counts: new Map(keys.filter(isInDay).map(({ id, accepted }) => [id, accepted])) };
}

export function sortedIds(
  keys: readonly ModelKey[],
  { sort, order }: { sort: KeySort; order: SortOrder },
): string[] {
  const sign = order === 'asc' ? 1 : -1;
  const comparedOf = compared[sort];
  const compare = (a: ModelKey, b: ModelKey) => {
    const [[part, one], [otherPart, other]] = [comparedOf(a), comparedOf(b)];
    const difference =
      Buffer.isBuffer(one) && Buffer.isBuffer(other)
        ? Buffer.compare(one, other)
        : Number(one) - Number(other);
    return part - otherPart || sign * (difference || compareIds(a, b));
  };
  return keys.toSorted(compare).map(({ id }) => id);
}

const compareIds = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : Number(a.id > b.id));

export function toKeyFilter(filter: ModelFilter): KeyFilter {
  const { search, unusedSince, expiresUntil } = filter;
  return {
    ...filter,
    search: search === undefined ? undefined : readSearch(search),
    unusedSince: unusedSince === undefined ? undefined : timeInMinutes(unusedSince),
    expiresUntil: expiresUntil === undefined ? undefined : timeInMinutes(expiresUntil),
    now: timeInMinutes(modelNow),
  };
}

export const everyKey: Omit<ModelFilter, 'status'> = {
  search: undefined,
  createdBy: undefined,
  scope: undefined,
  environment: undefined,
  externalId: undefined,
  unusedSince: undefined,
  expiresUntil: undefined,
};
