import { setImmediate as turn } from 'node:timers/promises';
import { type Kysely, type SqlBool, sql } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { rangesOf } from '../keys/list-ranges.ts';

/** Keys per statement. On SQLite, each range also has at most as many keys. */
export const pageSize = 2000;

/** Conditions on the keys of a workspace, besides those of a policy. */
export type KeyConditions = readonly ReturnType<typeof sql<SqlBool>>[];

/**
 * Some keys of a workspace, in pages, which can be empty. Other work runs between two of them.
 *
 * @param read returns those that meet the conditions, at most a page, in the order of their ids
 */
export async function* keyPages<Key extends { id: string }>(
  db: Kysely<Tables>,
  workspaceId: string,
  read: (only: KeyConditions) => Promise<Key[]>,
): AsyncGenerator<Key[], void> {
  const keys = { workspaceId, ids: undefined, order: 'asc', after: undefined } as const;
  for await (const { condition } of rangesOf(db, keys, pageSize)) {
    for (let after = ''; ; await turn()) {
      const page = await read([condition, sql`api_key.id > ${after}`]);
      yield page;
      after = page.at(-1)?.id ?? '';
      if (page.length < pageSize) break;
    }
  }
}
