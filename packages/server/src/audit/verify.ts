import { type AuditEvent, detailsSchema } from '@soku/contract/audit';
import type { Kysely } from 'kysely';
import { z } from 'zod';
import type { Tables } from '../database/schema.ts';
import { type EventRow, firstPreviousHash, sealOf, toEvent } from './chain.ts';

/** Events of one read. */
const slice = 1000;

/** The first invalid entry of a chain. */
export interface Break {
  chain: string;
  sequence: number;
  /** The id of the event; null when it is missing. */
  id: string | null;
  problem: string;
}

export interface Verification {
  chains: number;
  /** Sealed events that were read. */
  events: number;
  /** Events that are not sealed into a chain yet. */
  unsealed: number;
  breaks: Break[];
}

/** Sealed events of an export, by chain and sequence. */
export type Anchor = ReadonlyMap<string, ReadonlyMap<number, { id: string; hash: string }>>;

/** A sequence number of a chain, and the hash of its event. */
interface Place {
  sequence: number;
  hash: string;
}

/**
 * Verifies each chain from its first event to its last, and against an earlier export.
 *
 * @param anchor the earlier export; empty without one. Then neither events that were deleted from the end of a chain
 *   nor a chain that was rewritten as a whole can be detected
 * @param progress is called with the number of events read
 */
export async function verifyChains(
  db: Kysely<Tables>,
  anchor: Anchor,
  progress: (events: number) => void = () => undefined,
): Promise<Verification> {
  const rows = await db.selectFrom('audit_event').select('chain').distinct().execute();
  const chains = new Set([...rows.map(({ chain }) => chain), ...anchor.keys()]);
  const result: Verification = {
    chains: chains.size,
    events: 0,
    unsealed: await countUnsealed(db),
    breaks: [],
  };
  for (const chain of [...chains].sort()) {
    const found = await verifyChain(db, chain, anchor.get(chain) ?? new Map(), () => {
      result.events += 1;
      progress(result.events);
    });
    if (found !== undefined) result.breaks.push({ chain, ...found });
  }
  return result;
}

type Found = Omit<Break, 'chain'>;

async function verifyChain(
  db: Kysely<Tables>,
  chain: string,
  anchored: ReadonlyMap<number, { id: string; hash: string }>,
  read: () => void,
): Promise<Found | undefined> {
  let end: Place | undefined;
  for (;;) {
    const rows = await readSlice(db, chain, end?.sequence ?? null);
    for (const row of rows) {
      read();
      const before: Place = end ??
        (await startBefore(db, chain, row)) ?? { sequence: 0, hash: firstPreviousHash };
      const problem = problemOf(row, before, anchored);
      if (problem !== undefined) return problem;
      end = { sequence: before.sequence + 1, hash: row.hash ?? '' };
    }
    if (rows.length < slice) break;
  }
  return missingAtEnd(end?.sequence ?? 0, anchored);
}

function problemOf(
  row: EventRow,
  before: Place,
  anchored: ReadonlyMap<number, { id: string; hash: string }>,
): Found | undefined {
  const expected = before.sequence + 1;
  if (row.sequence !== expected) {
    const last = (row.sequence ?? 0) - 1;
    const problem =
      before.sequence === 0
        ? `events ${expected} to ${last} are missing, and no audit.pruned event records their deletion`
        : `events ${expected} to ${last} are missing`;
    return { sequence: expected, id: null, problem };
  }
  const at = { sequence: expected, id: row.id };
  if (row.previous_hash !== before.hash) return { ...at, problem: 'it does not follow the event before it' };
  const event = toEvent(row);
  if (event.unreadable !== undefined)
    return { ...at, problem: `it was changed: ${event.unreadable.join(', ')} cannot be read` };
  if (row.hash !== sealOf(before.hash, event))
    return { ...at, problem: 'it was changed, or moved from another place' };
  const known = anchored.get(expected);
  if (known !== undefined && (known.id !== row.id || known.hash !== row.hash))
    return { ...at, problem: `it is not the event of the export (${known.id})` };
  return undefined;
}

function missingAtEnd(last: number, anchored: ReadonlyMap<number, { id: string }>): Found | undefined {
  const missing = [...anchored.keys()].filter((sequence) => sequence > last).sort((a, b) => a - b)[0];
  if (missing === undefined) return undefined;
  const problem = `the chain ends at ${last}, and the export has later events`;
  return { sequence: missing, id: anchored.get(missing)?.id ?? null, problem };
}

const prunedSchema = z.object({ through: z.int(), hash: z.string() });

/**
 * The predecessor of the first remaining event of a chain, as recorded by an audit.pruned event, which may not be
 * sealed yet.
 */
async function startBefore(db: Kysely<Tables>, chain: string, first: EventRow): Promise<Place | undefined> {
  if (first.sequence === 1) return undefined;
  const records = await db
    .selectFrom('audit_event')
    .select('details')
    .where('chain', '=', chain)
    .where('action', '=', 'audit.pruned')
    .orderBy('id', 'desc')
    .execute();
  for (const { details } of records) {
    const parsed = prunedSchema.safeParse(parseDetails(details));
    if (!parsed.success) continue;
    const { through, hash } = parsed.data;
    if (through + 1 === first.sequence) return { sequence: through, hash };
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

async function readSlice(db: Kysely<Tables>, chain: string, after: number | null): Promise<EventRow[]> {
  return db
    .selectFrom('audit_event')
    .selectAll()
    .where('chain', '=', chain)
    .where('sequence', 'is not', null)
    .$if(after !== null, (query) => query.where('sequence', '>', after))
    .orderBy('sequence')
    .limit(slice)
    .execute();
}

async function countUnsealed(db: Kysely<Tables>): Promise<number> {
  const row = await db
    .selectFrom('audit_event')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('sequence', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** The sealed events of an export, one after the other. */
export function addToAnchor(
  anchor: Map<string, Map<number, { id: string; hash: string }>>,
  { chain, sequence, id, hash }: AuditEvent,
): void {
  if (sequence === null || hash === null) return;
  const events = anchor.get(chain) ?? new Map<number, { id: string; hash: string }>();
  events.set(sequence, { id, hash });
  anchor.set(chain, events);
}
