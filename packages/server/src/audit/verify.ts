import type { AuditEvent } from '@soku/contract/audit';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { type EventRow, firstPreviousHash, sealHash, toAuditEvent } from './chain.ts';
import {
  type Anchor,
  type AnchoredEvent,
  findForgedDeletion,
  findPruneRecord,
  type PruneRecord,
} from './deletions.ts';

/** Events per read. */
const batchSize = 1000;

/** Time in ms within which a running server seals an event. */
const sealedWithin = 60_000;

/** How much older, in ms, an event may be than the event before it, because server clocks differ. */
const clockSkew = 5 * 60_000;

/** The first invalid entry of a chain. */
export interface ChainBreak {
  chain: string;
  sequence: number;
  /** The id of the event; null if it is missing. */
  id: string | null;
  problem: string;
}

export interface AuditVerification {
  chains: number;
  /** The number of sealed events that were read. */
  events: number;
  /** The number of events that are not sealed into a chain yet. */
  unsealed: number;
  /** The number of events that no server has sealed for more than a minute. */
  overdue: number;
  breaks: ChainBreak[];
  /** The deletions from the start of chains that audit.pruned events record. */
  pruned: PruneRecord[];
  /** Events that may have been added later. Servers seal in order of time, as far as their clocks agree. */
  backdated: BackdatedEvent[];
}

/** An event that is much older than an event that was sealed before it. */
export interface BackdatedEvent {
  chain: string;
  sequence: number;
  id: string;
  /** How much older it is, in ms. */
  byMs: number;
}

/** What the log is verified against. */
export interface AuditBaseline {
  /** The events of an earlier export; empty without one. */
  anchor: Anchor;
  /** SOKU_AUDIT_RETENTION_DAYS, in ms. */
  retention: number;
  /** Epoch ms. */
  now: number;
}

/** A sequence number of a chain, and the hash of its event. */
interface ChainPosition {
  sequence: number;
  hash: string;
}

/**
 * Verifies each chain from its first event to its last, and against an earlier export. Without an export, it cannot
 * detect events that were deleted at either end of a chain, or a chain that was rewritten entirely.
 *
 * @param progress called with the number of events read
 */
export async function verifyChains(
  db: Kysely<Tables>,
  expected: AuditBaseline,
  progress: (events: number) => void = () => undefined,
): Promise<AuditVerification> {
  const rows = await db.selectFrom('audit_event').select('chain').distinct().execute();
  const chains = new Set([...rows.map(({ chain }) => chain), ...expected.anchor.keys()]);
  const result: AuditVerification = {
    chains: chains.size,
    events: 0,
    unsealed: await countUnsealed(db),
    overdue: await countUnsealed(db, expected.now - sealedWithin),
    breaks: [],
    pruned: [],
    backdated: [],
  };
  for (const chain of [...chains].sort()) {
    const found = await verifyChain(db, chain, expected, {
      read: () => {
        result.events += 1;
        progress(result.events);
      },
      pruned: (record) => result.pruned.push(record),
      backdated: (event) => result.backdated.push({ chain, ...event }),
    });
    if (found !== undefined) result.breaks.push({ chain, ...found });
  }
  return result;
}

type Found = Omit<ChainBreak, 'chain'>;

/** Callbacks for findings during the verification. */
interface Listener {
  read: () => void;
  pruned: (record: PruneRecord) => void;
  backdated: (event: Omit<BackdatedEvent, 'chain'>) => void;
}

async function verifyChain(
  db: Kysely<Tables>,
  chain: string,
  expected: AuditBaseline,
  { read, pruned, backdated }: Listener,
): Promise<Found | undefined> {
  const anchored = expected.anchor.get(chain) ?? new Map();
  const record = await findPruneRecord(db, chain);
  if (record !== undefined) {
    pruned(record);
    const forged = findForgedDeletion(record, anchored, expected);
    if (forged !== undefined) return forged;
  }
  let end: ChainPosition = { sequence: record?.through ?? 0, hash: record?.hash ?? firstPreviousHash };
  let last = Number.NEGATIVE_INFINITY;
  for await (const row of rowsOf(db, chain)) {
    read();
    const problem = problemOf(row, end, anchored);
    if (problem !== undefined) return problem;
    end = { sequence: end.sequence + 1, hash: row.hash ?? '' };
    if (row.at < last - clockSkew) backdated({ sequence: end.sequence, id: row.id, byMs: last - row.at });
    last = Math.max(last, row.at);
  }
  return missingAtEnd(end.sequence, anchored);
}

/** The sealed events of a chain, in order. */
async function* rowsOf(db: Kysely<Tables>, chain: string): AsyncGenerator<EventRow> {
  let after: number | null = null;
  for (;;) {
    const rows: EventRow[] = await readBatch(db, chain, after);
    yield* rows;
    if (rows.length < batchSize) return;
    after = rows.at(-1)?.sequence ?? null;
  }
}

function problemOf(
  row: EventRow,
  before: ChainPosition,
  anchored: ReadonlyMap<number, AnchoredEvent>,
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
  if (row.previous_hash !== before.hash)
    return { ...at, problem: 'its previousHash does not match the previous event' };
  const event = toAuditEvent(row);
  if (event.unreadable !== undefined)
    return { ...at, problem: `it was changed: ${event.unreadable.join(', ')} cannot be read` };
  if (row.hash !== sealHash(before.hash, event)) return { ...at, problem: 'it was changed or moved' };
  const known = anchored.get(expected);
  if (known !== undefined && (known.id !== row.id || known.hash !== row.hash))
    return { ...at, problem: `it differs from the event in the export (${known.id})` };
  return undefined;
}

function missingAtEnd(last: number, anchored: ReadonlyMap<number, { id: string }>): Found | undefined {
  const missing = [...anchored.keys()].filter((sequence) => sequence > last).sort((a, b) => a - b)[0];
  if (missing === undefined) return undefined;
  const problem = `the chain ends at ${last}, but the export has later events`;
  return { sequence: missing, id: anchored.get(missing)?.id ?? null, problem };
}

async function readBatch(db: Kysely<Tables>, chain: string, after: number | null): Promise<EventRow[]> {
  return db
    .selectFrom('audit_event')
    .selectAll()
    .where('chain', '=', chain)
    .where('sequence', 'is not', null)
    .$if(after !== null, (query) => query.where('sequence', '>', after))
    .orderBy('sequence')
    .limit(batchSize)
    .execute();
}

/** @param before counts only events before this time, in epoch ms */
async function countUnsealed(db: Kysely<Tables>, before?: number): Promise<number> {
  const row = await db
    .selectFrom('audit_event')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('sequence', 'is', null)
    .$if(before !== undefined, (query) => query.where('at', '<', before ?? 0))
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** Adds an event of an export to an anchor, if it is sealed. */
export function addToAnchor(
  anchor: Map<string, Map<number, AnchoredEvent>>,
  { chain, sequence, id, hash, at }: AuditEvent,
): void {
  if (sequence === null || hash === null) return;
  const events = anchor.get(chain) ?? new Map<number, AnchoredEvent>();
  events.set(sequence, { id, hash, at });
  anchor.set(chain, events);
}
