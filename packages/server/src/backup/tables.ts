/** Names of tables, each with its primary key. */
export type TableKeys = Readonly<Record<string, readonly string[]>>;

/**
 * Every table of a database, with its primary key, in the order in which rows can be written: what refers to
 * another table comes after it, and dead hashes come after secrets, because a trigger refuses the secret of a dead
 * hash. Nodes and their changes are not copied: they belong to running processes.
 */
export const tables: TableKeys = {
  user: ['id'],
  account: ['id'],
  session: ['id'],
  verification: ['id'],
  workspace: ['id'],
  workspace_member: ['workspace_id', 'user_id'],
  api_key: ['id'],
  api_key_secret: ['hash'],
  dead_hash: ['hash'],
  idempotency: ['workspace_id', 'token_hash'],
  usage_hour: ['hour', 'key_id', 'hash'],
  last_use: ['key_id', 'hash'],
  rate_window: ['key_id'],
  audit_event: ['id'],
};

/** Tables of what lets a person in. A backup does not hold them, so it lets nobody in, and brings no session back. */
const signIns = ['session', 'verification'];

/** The tables of a backup. */
export const backupTables: TableKeys = Object.fromEntries(
  Object.entries(tables).filter(([name]) => !signIns.includes(name)),
);
