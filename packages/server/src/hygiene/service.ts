import {
  type Hygiene,
  type HygieneKind,
  hygieneActions,
  hygieneKindSchema,
  type ListHygiene,
} from '@soku/contract/hygiene';
import type { Key } from '@soku/contract/keys';
import { RequestError } from '../http/errors.ts';
import { policyOf } from './findings.ts';
import type { FindingPosition, HygieneReader } from './reader.ts';

interface Options {
  reader: HygieneReader;
  /** The keys with these ids that belong to the workspace, in the given order. */
  find: (workspaceId: string, ids: readonly string[]) => Promise<Key[]>;
  /** Writes the last uses of a workspace to the database. */
  writeLastUses: (workspaceId: string) => Promise<void>;
  /** Epoch ms. */
  now: () => number;
}

/** Reports the keys of a workspace that someone should look at. */
export class HygieneService {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /** @throws {RequestError} invalid_request for a cursor of another list */
  async list(workspaceId: string, { kind, limit, cursor, include }: ListHygiene): Promise<Hygiene> {
    const { reader, find, writeLastUses, now } = this.#options;
    const after = cursor === undefined ? undefined : readCursor(cursor, kind);
    await writeLastUses(workspaceId);
    const context = await reader.context(workspaceId, now());
    // One pass over all keys counts each kind, so that kinds without keys are not searched.
    const needsCounts = include === 'counts' || kind === undefined;
    const counts = needsCounts ? await reader.count(workspaceId, context) : undefined;
    const kinds = (kind === undefined ? kindsFrom(after?.kind) : [kind]).filter((one) => counts?.[one] !== 0);
    const places = await reader.page(workspaceId, context, { kinds, after, limit: limit + 1 });
    const page = places.slice(0, limit);
    const last = page.at(-1);
    const keys = await find(workspaceId, [...new Set(page.map(({ id }) => id))]);
    const byId = new Map(keys.map((key) => [key.id, key]));
    const data = page.flatMap((place) => {
      const key = byId.get(place.id);
      // A key that has ended since it was found is no longer a finding.
      if (key?.status !== 'active') return [];
      const since = new Date(place.since).toISOString();
      const policy = policyOf(place.kind, place.idleSince, context);
      return [{ kind: place.kind, key, since, action: hygieneActions[place.kind], policy }];
    });
    return {
      data,
      nextCursor: places.length > limit && last !== undefined ? writeCursor(last) : null,
      usageCompleteSince: new Date(context.completeSince).toISOString(),
      ...(include === 'counts' && { counts }),
    };
  }
}

function kindsFrom(first: HygieneKind | undefined): HygieneKind[] {
  const kinds = hygieneKindSchema.options;
  return first === undefined ? kinds : kinds.slice(kinds.indexOf(first));
}

function writeCursor({ kind, since, id }: FindingPosition): string {
  return `${kind}.${since}.${id}`;
}

/** @throws {RequestError} invalid_request */
function readCursor(cursor: string, kind: HygieneKind | undefined): FindingPosition {
  const [ofKind, since = '', id = ''] = cursor.split('.');
  const parsed = hygieneKindSchema.safeParse(ofKind);
  if (parsed.success && (kind === undefined || parsed.data === kind))
    return { kind: parsed.data, since: Number(since), id };
  const problem = 'must be nextCursor of the previous page, with the same kind';
  throw new RequestError({
    code: 'invalid_request',
    message: `cursor ${problem}.`,
    details: [{ path: 'cursor', problem }],
  });
}
