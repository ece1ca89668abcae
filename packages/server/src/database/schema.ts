/**
 * The tables, as Kysely sees them. Portable types only: text, integer, blob. Times are epoch milliseconds,
 * except in the auth library's own tables, which keep that library's formats.
 */

/** An integration that somebody gave a name to. Its secrets come and go; this row stays. */
interface ApiKeyTable {
  /** `key_` and 26 characters, time-ordered: newest first is `ORDER BY id DESC`. Written once. */
  id: string;
  /** Written once (a trigger holds it). */
  workspace_id: string;
  /** The account or the key that made it. A key outlives both, so this is no foreign key. */
  created_by: string;
  /** As typed, trimmed. Changed by rename. */
  name: string;
  /** The name folded for searching, by keys/fold-name.ts. Changed with it. */
  name_folded: string;
  /** Space-separated, sorted: '' or 'keys:read keys:write'. Written once. */
  scopes: string;
  /** Epoch ms; null is never. Written once. */
  expires_at: number | null;
  /** Requests a minute; 0 is no limit, null the workspace's. Changed by people, and by keys within their own. */
  rate_limit: number | null;
  /** Epoch ms. Written once. */
  created_at: number;
  /** Epoch ms. Its presence, not its value, makes the key dead. Written once, for ever (triggers hold it). */
  revoked_at: number | null;
  /** Who revoked it; written with revoked_at. */
  revoked_by: string | null;
}

/** What a program sends, as a hash. Generating a key writes one. */
interface ApiKeySecretTable {
  /** SHA-256 of the whole key, 32 bytes. Primary key. Written once (a trigger holds it). */
  hash: Uint8Array;
  /** Written once (a trigger holds it). */
  key_id: string;
  /** The parts of the preview: prefix, first 3 and last 3 of the 32 characters. Written once. */
  prefix: string;
  preview_start: string;
  preview_end: string;
  /** Epoch ms. Written once. */
  created_at: number;
  /** Epoch ms from which on it is rejected; null is never. Written by a rotation for the older secrets. */
  retires_at: number | null;
  /** Epoch ms; null while it may be accepted. Written once, for ever (triggers hold it), and the hash is dead then. */
  retired_at: number | null;
}

/** Hashes that may never be accepted again. Filled by a trigger when a key is revoked; nothing can be taken out. */
interface DeadHashTable {
  hash: Uint8Array;
}

/** One row for each Idempotency-Key of the last 24 hours. */
interface IdempotencyTable {
  workspace_id: string;
  /** SHA-256 of the header's value: what clients put there is their business. */
  token_hash: Uint8Array;
  /** The key that the first call made. */
  key_id: string;
  /** Epoch ms. */
  created_at: number;
}

/** How often a secret was used in one hour. The flush of usage adds to it; 90 days later it is deleted. */
interface UsageHourTable {
  /** Epoch hours: whole hours since 1970, UTC. */
  hour: number;
  key_id: string;
  hash: Uint8Array;
  accepted: number;
  /** Refused although the secret is known here: revoked, expired, without the scope, or over its limit. */
  refused: number;
  /** Epoch ms of the last accepted use in this hour; null when there was none. Never goes back. */
  last_at: number | null;
}

/** The last accepted use of a secret. The flush of usage overwrites it; nothing deletes it. */
interface LastUseTable {
  key_id: string;
  hash: Uint8Array;
  /**
   * Epoch ms. Never goes back. Written with the first use of an hour, and when address or agent have changed; the last
   * use itself may be later, and then is last_at of the same hour in usage_hour.
   */
  at: number;
  /** As verification saw it; '' when it was not told. */
  address: string;
  /** At most 200 characters, and none of a key in it; '' when the client named none. */
  agent: string;
}

/** On PostgreSQL: how many writes of usage of a process have been committed. Each write moves it by one. */
interface UsageWriterTable {
  /** Of one process; random. */
  id: string;
  number: number;
}

/** Who owns keys together. Every account has one of its own. */
interface WorkspaceTable {
  id: string;
  name: string;
  /** Requests a minute of each key that has no limit of its own; 0 is no limit, null SOKU_KEY_RATE_LIMIT. */
  rate_limit: number | null;
  created_at: number;
}

/**
 * The windows of the keys' limits. On SQLite for the next process: replaced at a stop, read at a start. On PostgreSQL
 * the sum over all nodes, by the database's clock: each adds what passed there, and old rows are deleted.
 */
interface RateWindowTable {
  key_id: string;
  /** Epoch minutes. */
  minute: number;
  /**
   * Requests that passed in that minute, and in the one before it. On PostgreSQL: those that nodes may let pass, written
   * by soku_take_grants whenever a node takes more; with those that they may let pass unasked.
   */
  current: number;
  previous: number;
}

interface WorkspaceMemberTable {
  workspace_id: string;
  user_id: string;
  role: 'owner';
  created_at: number;
}

/** The auth library's tables, as far as the accounts room writes or reads them itself. Times are ISO strings. */
interface UserTable {
  id: string;
  name: string;
  email: string;
  emailVerified: number;
  createdAt: string;
  updatedAt: string;
}

interface AccountTable {
  id: string;
  accountId: string;
  /** 'credential' for e-mail and password. */
  providerId: string;
  userId: string;
  /** scrypt, by the auth library. */
  password: string | null;
  createdAt: string;
  updatedAt: string;
}

interface SessionTable {
  id: string;
  userId: string;
  /** SHA-256 of the token in the cookie, 64 hexadecimal digits. Written once. */
  token: string;
  createdAt: string;
  /** Changes when the session is extended. */
  updatedAt: string;
  expiresAt: string;
  ipAddress: string | null;
  userAgent: string | null;
}

/** One thing that was done: inserted in the transaction of its command, sealed within a second, deleted by age. */
interface AuditEventTable {
  /** `evt_` and 26 characters, time-ordered. Written once, as all columns but the last three. */
  id: string;
  /** The id of a workspace, or 'accounts'. */
  chain: string;
  /** Epoch ms. */
  at: number;
  /** 'person', 'key', 'operator' or 'system'. */
  actor_kind: string;
  /** The id of an account or a key; else the kind. */
  actor_id: string;
  /** As the name was then. */
  actor_name: string;
  /** The client's address, program and request; null when it was no request. */
  address: string | null;
  user_agent: string | null;
  request_id: string | null;
  /** noun.past_tense, such as 'key.revoked'. */
  action: string;
  /** 'key', 'workspace', 'account', 'deployment' or 'audit'. */
  target_kind: string;
  target_id: string;
  /** As the name was then. */
  target_name: string;
  /** JSON, {field: {from, to}}; null when no field changed. */
  changes: string | null;
  /** JSON, {field: value}; null when there is nothing else to tell. */
  details: string | null;
  /** The place in the chain, from 1 on. The sealer writes it and the two hashes, once. */
  sequence: number | null;
  /** 64 hexadecimal digits: the hash of the event before in the chain; zeros for the first one. */
  previous_hash: string | null;
  /** 64 hexadecimal digits: SHA-256 over previous_hash and the event (audit/chain.ts). */
  hash: string | null;
}

export interface Tables {
  audit_event: AuditEventTable;
  api_key: ApiKeyTable;
  api_key_secret: ApiKeySecretTable;
  dead_hash: DeadHashTable;
  idempotency: IdempotencyTable;
  usage_hour: UsageHourTable;
  last_use: LastUseTable;
  usage_writer: UsageWriterTable;
  workspace: WorkspaceTable;
  rate_window: RateWindowTable;
  workspace_member: WorkspaceMemberTable;
  user: UserTable;
  account: AccountTable;
  session: SessionTable;
}
