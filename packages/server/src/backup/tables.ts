/**
 * Every table that a backup has, with its primary key, in the order in which rows can be written: what refers to
 * another table comes after it, and dead hashes come after secrets, because a trigger refuses the secret of a dead
 * hash. Nodes and their changes are in no backup: they belong to running processes.
 */
export const tables: Readonly<Record<string, readonly string[]>> = {
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
};
