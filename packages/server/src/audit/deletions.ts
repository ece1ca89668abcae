import { detailsSchema } from '@soku/contract/audit';
import type { Kysely } from 'kysely';
import { z } from 'zod';
import type { Tables } from '../database/schema.ts';

/** A deletion at the start of a chain, as recorded by an audit.pruned event. */
export interface PruneRecord {
  chain: string;
  /** The sequence number of the last deleted event. */
  through: number;
  hash: string;
  /** The time of the deletion, in epoch ms. */
  at: number;
}

/** The sealed events of an export, by chain and sequence. */
export type Anchor = ReadonlyMap<string, ReadonlyMap<number, AnchoredEvent>>;

export interface AnchoredEvent {
  id: string;
  hash: string;
  at: string;
}

const prunedSchema = z.object({ through: z.int(), hash: z.string() });

/**
 * The deletion before the first remaining event of a chain, as recorded by an audit.pruned event, which may not be
 * sealed yet.
 */
export async function findPruneRecord(db: Kysely<Tables>, chain: string): Promise<PruneRecord | undefined> {
  const first = await db
    .selectFrom('audit_event')
    .select('sequence')
    .where('chain', '=', chain)
    .where('sequence', 'is not', null)
    .orderBy('sequence')
    .limit(1)
    .executeTakeFirst();
  if (first === undefined || first.sequence === 1) return undefined;
  const records = await db
    .selectFrom('audit_event')
    .select(['details', 'at'])
    .where('chain', '=', chain)
    .where('action', '=', 'audit.pruned')
    .orderBy('id', 'desc')
    .execute();
  for (const { details, at } of records) {
    const parsed = prunedSchema.safeParse(parseDetails(details));
    if (!parsed.success) continue;
    if (parsed.data.through + 1 === first.sequence) return { chain, at, ...parsed.data };
  }
  return undefined;
}

/**
 * Finds an event of an export that retention cannot have deleted, because it is still too recent, whatever the record
 * of the deletion says. Anyone who can write to the database can forge such a record.
 */
export function findForgedDeletion(
  { through, hash }: PruneRecord,
  anchored: ReadonlyMap<number, AnchoredEvent>,
  { now, retention }: { now: number; retention: number },
): { sequence: number; id: string; problem: string } | undefined {
  for (const [sequence, { id, hash: known, at }] of anchored) {
    if (sequence > through) continue;
    if (sequence === through && known !== hash)
      return { sequence, id, problem: 'it was deleted, and audit.pruned records a different hash for it' };
    if (Date.parse(at) > now - retention)
      return { sequence, id, problem: 'it was deleted before its retention period ended' };
  }
  return undefined;
}

function parseDetails(text: string | null): z.infer<typeof detailsSchema> | null {
  try {
    return detailsSchema.nullable().parse(JSON.parse(text ?? 'null'));
  } catch {
    return null;
  }
}
