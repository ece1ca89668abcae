/** Table names, each with its primary key. */
export type TableKeys = Readonly<Record<string, readonly string[]>>;

/**
 * Every table of a database, with its primary key, in the order in which rows can be written: a table comes after the
 * tables that it refers to, and dead_hash comes after the secrets, because a trigger rejects a secret whose hash is
 * revoked. key_use and key_preview come before api_key, because triggers add a missing row with each key and secret.
 * Nodes, their changes and the log of usage are not copied, because they belong to running processes. Nor is
 * `usage_history`: the usage of a copy starts over.
 */
export const databaseTables: TableKeys = {
  user: ['id'],
  account: ['id'],
  session: ['id'],
  verification: ['id'],
  workspace: ['id'],
  workspace_member: ['workspace_id', 'user_id'],
  scope: ['workspace_id', 'name'],
  key_use: ['key_id'],
  key_preview: ['key_id'],
  api_key: ['id'],
  api_key_secret: ['hash'],
  dead_hash: ['hash'],
  ended_use: ['day', 'key_id'],
  idempotency: ['workspace_id', 'token_hash'],
  usage_hour: ['hour', 'key_id', 'hash'],
  usage_total: ['hour', 'workspace_id', 'outcome'],
  usage_refusal: ['hour', 'workspace_id', 'key_id', 'code'],
  usage_day: ['day', 'owner', 'hash', 'outcome'],
  usage_client: ['day', 'owner'],
  last_use: ['key_id', 'hash'],
  rate_window: ['key_id'],
  audit_event: ['id'],
  webhook: ['id'],
  webhook_delivery: ['id'],
  mail_preference: ['user_id'],
  mail_cursor: ['chain'],
  mail: ['id'],
  key_reminder: ['key_id', 'expires_at', 'days'],
  idle_warning: ['key_id'],
  age_warning: ['key_id'],
};

/** Tables that give access to the dashboard. A backup does not contain them, so it cannot revive a session. */
const signIns = ['session', 'verification'];

/** The tables that a backup contains. */
export const backupTables: TableKeys = Object.fromEntries(
  Object.entries(databaseTables).filter(([name]) => !signIns.includes(name)),
);
