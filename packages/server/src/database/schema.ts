import type { ColumnType, Generated } from 'kysely';
import type { AccountTable, SessionTable, UserTable, WorkspaceMemberTable } from './account-schema.ts';
import type { MailTables } from './mail-schema.ts';
import type {
  LastUseTable,
  UsageClientTable,
  UsageDayTable,
  UsageHistoryTable,
  UsageHourTable,
  UsageRefusalTable,
  UsageTotalTable,
  UsageWriterTable,
} from './usage-schema.ts';
import type { WebhookDeliveryTable, WebhookTable } from './webhook-schema.ts';

/**
 * The tables, as Kysely sees them. Only portable types: text, integer, blob. Times are epoch milliseconds, except in
 * the auth library's tables, which use the formats of the library.
 */

/** A column that may be omitted from an insertion. */
type Optional<T> = ColumnType<T | null, T | null | undefined, T | null>;

/** An integration with a name. Its secrets change; this row stays. */
interface ApiKeyTable {
  /** `key_` and 26 characters, time-ordered: newest first is `ORDER BY id DESC`. Written once. */
  id: string;
  /** Written once (enforced by a trigger). */
  workspace_id: string;
  /** The account or key that created it. A key outlives both, so this is not a foreign key. */
  created_by: string;
  /** As entered, trimmed. Changed by a rename. */
  name: string;
  /** The name folded for searching, by database/fold-name.ts. Changed with the name. */
  name_folded: string;
  /** Grants, space-separated and sorted: '' or 'files:* keys:read'. */
  scopes: string;
  /** Epoch ms; null: never. */
  expires_at: number | null;
  /** 'live' or 'test'. Written once. */
  environment: Generated<string>;
  /** Canonical IP addresses and CIDR ranges, space-separated; '': all. */
  allowed_addresses: Generated<string>;
  /** Epoch ms at which it was disabled; null while it is enabled. */
  disabled_at: Optional<number>;
  /** The operator's own id for the customer. */
  external_id: Optional<string>;
  /** JSON, {name: value}; null: no entries. */
  metadata: Optional<string>;
  /** Requests per minute; 0: no limit; null: the workspace's limit. Changed by people, and by keys up to their own. */
  rate_limit: number | null;
  /** Epoch ms; of an imported key, as stated by the import. Written once. */
  created_at: number;
  /** Epoch ms of the import, before which uses are unknown; null: created here. Written once. */
  imported_at: Optional<number>;
  /** Epoch ms from which it is accepted again: when it was last enabled, or got a later expiry after it had expired. */
  resumed_at: Optional<number>;
  /** Epoch ms. Any value means that the key is revoked. Written once, permanently (enforced by triggers). */
  revoked_at: number | null;
  /** The account or key that revoked it. Written with revoked_at. */
  revoked_by: string | null;
  /** 'leaked', 'unused', 'replaced', 'person_left' or 'other'; null: none was given. Written with revoked_at. */
  revoked_reason: Optional<string>;
}

/** The hash of a secret, which a program sends. Created with a key and by each rotation. */
interface ApiKeySecretTable {
  /** SHA-256 of the whole key, 32 bytes. Primary key. Written once (enforced by a trigger). */
  hash: Uint8Array;
  /** `sec_` and 26 characters. Random, so that it reveals nothing about the hash. Written once. */
  id: Generated<string>;
  /** Written once (enforced by a trigger). */
  key_id: string;
  /** The parts of the preview: prefix, first 3 and last 3 of the 32 characters. Written once. */
  prefix: string;
  preview_start: string;
  preview_end: string;
  /** Epoch ms, later than that of all older secrets of the key. Written once. */
  created_at: number;
  /**
   * Epoch ms from which on it is rejected; null: never. A rotation writes it for older secrets, at once or when a newer
   * secret is first used. Never increases.
   */
  retires_at: Optional<number>;
  /**
   * ms from the first use of this secret, or of a newer one, until all older secrets are rejected. Cleared when that use
   * has set their retires_at; null: nothing to set.
   */
  grace_ms: Optional<number>;
  /** Epoch ms; null while it may be accepted. Written once, permanently (enforced by triggers), with the row of dead_hash. */
  retired_at: Optional<number>;
}

/** Hashes that must never be accepted again. A trigger adds them when a key is revoked; none can be removed. */
interface DeadHashTable {
  hash: Uint8Array;
}

/** The scopes that the keys of a workspace can hold, besides the built-in ones. */
interface ScopeTable {
  workspace_id: string;
  name: string;
  /** '' if there is none. */
  description: string;
}

/** The days on which a revoked key, or a retired secret of a key, was used: one event is recorded for each. */
interface EndedUseTable {
  /** Epoch days, UTC. */
  day: number;
  key_id: string;
}

/** One row per Idempotency-Key of the last 24 hours. */
interface IdempotencyTable {
  workspace_id: string;
  /** SHA-256 of the header's value, which may be sensitive. */
  token_hash: Uint8Array;
  /** The key that the first call created or rotated; null for a call that concerned several keys. */
  key_id: string | null;
  /** Epoch ms. */
  created_at: number;
}

/** When each key was last used, for the order of lists. Each key has a row. Triggers write it (migration 0014). */
interface KeyUseTable {
  key_id: string;
  /** That of the key. Written once. */
  workspace_id: string;
  /** Epoch ms: the start of the five minutes in which it was last accepted; null: never. Never decreases. */
  used_at: number | null;
}

/** The preview of each key, for the order of lists. Each key has a row. Triggers write it (migration 0015). */
interface KeyPreviewTable {
  key_id: string;
  /** That of the key. Written once. */
  workspace_id: string;
  /** As shown, of the newest secret: `sk_live_2ba...ixy`. Changed by each rotation. */
  preview: string;
}

/** The warnings that a key is disabled if it stays unused. Deleted when they no longer apply. */
interface IdleWarningTable {
  key_id: string;
  /** Epoch ms from which the key was idle, as of the first warning. A use changes this time, so the warnings are void. */
  idle_since: number;
  /** max_key_idle of the workspace at the first warning. With another value, the warnings are void. */
  days: number;
  /** Epoch ms of the two warnings; null: not yet. */
  first_at: number;
  last_at: Optional<number>;
}

/** The warning that the newest secret of a key is older than the policy of its workspace. Replaced by the next one. */
interface AgeWarningTable {
  key_id: string;
  /** Epoch ms: the creation of that secret. With a newer one, the warning is void. */
  secret_created_at: number;
  /** max_secret_age of the workspace at the warning. With a larger value, the key is warned about again. */
  days: number;
  /** Epoch ms. */
  warned_at: number;
}

/** The owner of keys, shared by its members. Every account has its own. */
interface WorkspaceTable {
  id: string;
  name: string;
  /** Requests per minute for each key without its own limit; 0: no limit; null: SOKU_KEY_RATE_LIMIT. */
  rate_limit: number | null;
  /** Days after its creation by which each new key must expire; null: no maximum. */
  max_key_lifetime: Optional<number>;
  /** Days after its creation by which each secret should be replaced; null: no maximum. Changed by people. */
  max_secret_age: Optional<number>;
  /** Days without a use after which a key is disabled; null: never. Changed by people. */
  max_key_idle: Optional<number>;
  /** 1: new keys must have an expiration date; 0: they need none. Changed by people. */
  require_expiry: Generated<number>;
  /** 1: a reported leak revokes the key; 0: it is only recorded. Changed by people. */
  revoke_leaked: Generated<number>;
  /**
   * Epoch ms. While it is set, all keys of the workspace count as revoked. A call that revokes all keys sets it, revokes
   * them one batch after another, and clears it after the last one (enforced by a trigger).
   */
  revoking_at: Optional<number>;
  /** revoked_by and revoked_reason of these keys. Written with revoking_at. */
  revoking_by: Optional<string>;
  revoking_reason: Optional<string>;
  created_at: number;
}

/**
 * The rate-limit windows of keys. On SQLite they are replaced at a stop and read at the next start. On PostgreSQL they
 * are the sum over all nodes, by the database's clock: each node adds its requests, and old rows are deleted.
 */
interface RateWindowTable {
  key_id: string;
  /** Epoch minutes. */
  minute: number;
  /**
   * Requests that passed in this minute, and in the one before. On PostgreSQL: those granted to nodes, written by
   * soku_take_grants whenever a node takes a grant, including the shares that nodes may use without a grant.
   */
  current: number;
  previous: number;
}

/** An event: inserted in the transaction of its command, sealed within a second, deleted by age. */
interface AuditEventTable {
  /** `evt_` and 26 characters, time-ordered. Written once, like all columns except the last three. */
  id: string;
  /** The ID of a workspace, or 'accounts'. */
  chain: string;
  /** Epoch ms. */
  at: number;
  /** 'person', 'key', 'operator' or 'system'. */
  actor_kind: string;
  /** The ID of an account or a key; otherwise the kind. */
  actor_id: string;
  /** The name at that time. */
  actor_name: string;
  /** The client's address, program and request; null when there was no request. */
  address: string | null;
  user_agent: string | null;
  request_id: string | null;
  /** noun.past_tense, such as 'key.revoked'. */
  action: string;
  /** 'key', 'workspace', 'webhook', 'account', 'deployment' or 'audit'. */
  target_kind: string;
  target_id: string;
  /** The name at that time. */
  target_name: string;
  /** JSON, {field: {from, to}}; null when no field changed. */
  changes: string | null;
  /** JSON, {field: value}; null when there are no further details. */
  details: string | null;
  /** The position in the chain, from 1. The sealer writes it once, together with the two hashes. */
  sequence: number | null;
  /** 64 hexadecimal digits: the hash of the previous event in the chain; zeros for the first one. */
  previous_hash: string | null;
  /** 64 hexadecimal digits: SHA-256 over previous_hash and the event (audit/chain.ts). */
  hash: string | null;
}

export interface Tables extends MailTables {
  audit_event: AuditEventTable;
  webhook: WebhookTable;
  webhook_delivery: WebhookDeliveryTable;
  api_key: ApiKeyTable;
  api_key_secret: ApiKeySecretTable;
  dead_hash: DeadHashTable;
  scope: ScopeTable;
  ended_use: EndedUseTable;
  idempotency: IdempotencyTable;
  usage_hour: UsageHourTable;
  last_use: LastUseTable;
  key_use: KeyUseTable;
  key_preview: KeyPreviewTable;
  usage_total: UsageTotalTable;
  usage_refusal: UsageRefusalTable;
  usage_history: UsageHistoryTable;
  idle_warning: IdleWarningTable;
  age_warning: AgeWarningTable;
  usage_day: UsageDayTable;
  usage_client: UsageClientTable;
  usage_writer: UsageWriterTable;
  workspace: WorkspaceTable;
  rate_window: RateWindowTable;
  workspace_member: WorkspaceMemberTable;
  user: UserTable;
  account: AccountTable;
  session: SessionTable;
}
