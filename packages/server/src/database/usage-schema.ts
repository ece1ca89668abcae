import type { Generated } from 'kysely';

// The tables of usage (schema.ts).

/** How often a secret was used in one hour. Each flush of usage adds to it. Deleted by age. */
export interface UsageHourTable {
  /** Epoch hours: whole hours since 1970, UTC. */
  hour: number;
  key_id: string;
  hash: Uint8Array;
  accepted: number;
  /** Rejected uses of a known secret: revoked, expired, without the scope, or over its limit. */
  refused: number;
  /** Epoch ms of the last accepted use in this hour; null: none. Never decreases. */
  last_at: number | null;
}

/** The last accepted use of a secret. A flush of usage overwrites it. Never deleted. */
export interface LastUseTable {
  key_id: string;
  hash: Uint8Array;
  /**
   * Epoch ms. Never decreases. Written with the first use in five minutes, and when address or agent change. The last
   * use itself may be later; then it is last_at of the same hour in usage_hour.
   */
  at: number;
  /** As reported to verification; '' when unknown. */
  address: string;
  /** At most 200 characters, without any key; '' when the client sent none. */
  agent: string;
}

/** The requests of a workspace in one hour. Each flush of usage adds to it. Deleted by age. */
export interface UsageTotalTable {
  /** Epoch hours. */
  hour: number;
  workspace_id: string;
  /** 'accepted', the error code of a rejection, or 'other': rejected before codes were stored. */
  outcome: string;
  requests: number;
}

/** The rejected requests of a key in one hour. Each flush of usage adds to it. Deleted by age. */
export interface UsageRefusalTable {
  /** Epoch hours. */
  hour: number;
  workspace_id: string;
  key_id: string;
  /** An error code, or 'other' as above. */
  code: string;
  requests: number;
}

/** The hours of a day, UTC. */
type HourColumn =
  `h${0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15 | 16 | 17 | 18 | 19 | 20 | 21 | 22 | 23}`;

/**
 * The requests of a key or a workspace on one day, by outcome and hour: h0 to h23. The same requests as in usage_hour, in
 * fewer rows, for long ranges. Each flush of usage adds to it. Deleted by age.
 */
export interface UsageDayTable extends Record<HourColumn, Generated<number>> {
  /** Epoch days, UTC. */
  day: number;
  /** The id of a key or a workspace. */
  owner: string;
  /** Accepted requests of a key: the secret. Otherwise empty. */
  hash: Uint8Array;
  /** As in usage_total. */
  outcome: string;
}

/**
 * From where and by which programs a key or a workspace was used on one day: a sample. Each flush of usage adds to it.
 * Deleted by age.
 */
export interface UsageClientTable {
  /** Epoch days, UTC. */
  day: number;
  /** The id of a key or a workspace. */
  owner: string;
  /** JSON (usage/client-counts.ts). */
  clients: string;
}

/** One row. No copy of a database includes it (migration 0022). */
export interface UsageHistoryTable {
  /** 1. */
  id: number;
  /**
   * Epoch ms from which every use of a key is known, except for what a crash loses. Written once, and by a
   * restore or move into this database.
   */
  complete_since: number;
  /**
   * Epoch ms from which a server has run without a pause of more than a day, and its clock has not jumped. A key counts as
   * unused only while servers run. Written by the search for idle keys (hygiene/uptime.ts).
   */
  watched_since: number;
  /** Epoch ms: when the search last ran. */
  watched_until: number;
}

/** On PostgreSQL: the number of committed usage writes of a process. Each write increments it by one. */
export interface UsageWriterTable {
  /** Random ID of a process. */
  id: string;
  number: number;
}
