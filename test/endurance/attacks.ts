/** SQL attacks on revoked keys that work the same way on both databases. */

/**
 * SQL literals: `id` and `hash` of the first revoked key, `activeId` and `activeHash` of an active one, and
 * `unusedHash`, which no secret has.
 */
export interface AttackTargets {
  id: string;
  hash: string;
  activeId: string;
  activeHash: string;
  unusedHash: string;
}

export type Attack = (targets: AttackTargets) => string[];

/** The columns without a default. */
export const [keyColumns, secretColumns] = [
  '(id, workspace_id, created_by, name, name_folded, scopes, created_at)',
  '(hash, key_id, prefix, preview_start, preview_end, created_at)',
];

/** The database must reject each of these. */
export const rejectedOnBoth: Record<string, Attack> = {
  'clearing revoked_at': ({ id }) => [`UPDATE api_key SET revoked_at = NULL WHERE id = ${id}`],
  'clearing revoked_at of all keys': () => ['UPDATE api_key SET revoked_at = NULL, revoked_by = NULL'],
  'clearing revoked_at with UPDATE FROM': ({ id }) => [
    `UPDATE api_key SET revoked_at = w.none FROM (SELECT CAST(NULL AS BIGINT) AS none) AS w WHERE api_key.id = ${id}`,
  ],
  'changing revoked_at': ({ id }) => [`UPDATE api_key SET revoked_at = 9999999999999 WHERE id = ${id}`],
  'changing revoked_by': ({ id }) => [`UPDATE api_key SET revoked_by = 'usr_2' WHERE id = ${id}`],
  'changing revoked_reason': ({ id }) => [`UPDATE api_key SET revoked_reason = 'other' WHERE id = ${id}`],
  'changing the id': ({ id }) => [`UPDATE api_key SET id = 'key_other' WHERE id = ${id}`],
  'changing the workspace': ({ id }) => [`UPDATE api_key SET workspace_id = 'ws_b' WHERE id = ${id}`],
  'deleting the key': ({ id }) => [`DELETE FROM api_key WHERE id = ${id}`],
  'deleting the secret': ({ hash }) => [`DELETE FROM api_key_secret WHERE hash = ${hash}`],
  'deleting all secrets, then all keys': () => ['DELETE FROM api_key_secret', 'DELETE FROM api_key'],
  'deleting and reinserting the key': ({ id }) => [
    `DELETE FROM api_key WHERE id = ${id}`,
    `INSERT INTO api_key ${keyColumns} VALUES (${id}, 'ws_a', 'x', 'x', 'x', '', 1)`,
  ],
  'inserting the key a second time': ({ id }) => [
    `INSERT INTO api_key ${keyColumns} VALUES (${id}, 'ws_a', 'x', 'x', 'x', '', 1)`,
  ],
  'moving the secret to an active key': ({ hash, activeId }) => [
    `UPDATE api_key_secret SET key_id = ${activeId} WHERE hash = ${hash}`,
  ],
  'inserting a second secret with the hash': ({ hash, activeId }) => [
    `INSERT INTO api_key_secret ${secretColumns} VALUES (${hash}, ${activeId}, 'sk_live_', 'a', 'b', 1)`,
  ],
  'inserting a secret whose hash is recorded as revoked': ({ activeId, unusedHash }) => [
    `INSERT INTO dead_hash (hash) VALUES (${unusedHash})`,
    `INSERT INTO api_key_secret ${secretColumns} VALUES (${unusedHash}, ${activeId}, 'sk_live_', 'a', 'b', 1)`,
  ],
  'clearing retired_at of a secret': ({ activeHash }) => [
    `UPDATE api_key_secret SET retired_at = 1 WHERE hash = ${activeHash}`,
    `UPDATE api_key_secret SET retired_at = NULL WHERE hash = ${activeHash}`,
  ],
  'deleting and reinserting a retired secret': ({ activeId, activeHash }) => [
    `UPDATE api_key_secret SET retired_at = 1 WHERE hash = ${activeHash}`,
    `DELETE FROM api_key_secret WHERE hash = ${activeHash}`,
    `INSERT INTO api_key_secret ${secretColumns} VALUES (${activeHash}, ${activeId}, 'sk_live_', 'a', 'b', 1)`,
  ],
  'ending a revoke of all keys before all are revoked': () => [
    "UPDATE workspace SET revoking_at = 1 WHERE id = 'ws_a'",
    "UPDATE workspace SET revoking_at = NULL WHERE id = 'ws_a'",
  ],
  'giving the workspace another id': () => ["UPDATE workspace SET id = 'ws_c' WHERE id = 'ws_a'"],
  'deleting and reinserting a workspace whose keys are being revoked': () => [
    "UPDATE workspace SET revoking_at = 1 WHERE id = 'ws_a'",
    "DELETE FROM workspace WHERE id = 'ws_a'",
    "INSERT INTO workspace (id, name, created_at) VALUES ('ws_a', 'x', 1)",
  ],
  'deleting the revoked hash': ({ hash }) => [`DELETE FROM dead_hash WHERE hash = ${hash}`],
  'deleting all revoked hashes': () => ['DELETE FROM dead_hash'],
  'changing the revoked hash': ({ hash, unusedHash }) => [
    `UPDATE dead_hash SET hash = ${unusedHash} WHERE hash = ${hash}`,
  ],
  'upserting the key': ({ id }) => [
    `INSERT INTO api_key ${keyColumns} VALUES (${id}, 'ws_a', 'x', 'x', 'x', '', 1)
       ON CONFLICT (id) DO UPDATE SET revoked_at = NULL`,
  ],
  'upserting the secret': ({ hash, activeId }) => [
    `INSERT INTO api_key_secret ${secretColumns} VALUES (${hash}, ${activeId}, 'sk_live_', 'a', 'b', 1)
       ON CONFLICT (hash) DO UPDATE SET key_id = excluded.key_id`,
  ],
};

/** These succeed, but must not reactivate the key. */
export const harmlessOnBoth: Record<string, Attack> = {
  'adding a secret to the revoked key': ({ id, unusedHash }) => [
    `INSERT INTO api_key_secret ${secretColumns} VALUES (${unusedHash}, ${id}, 'sk_live_', 'a', 'b', 1)`,
  ],
  'changing name, scopes and expiry': ({ id }) => [
    `UPDATE api_key SET name = 'x', scopes = 'keys:write', expires_at = NULL WHERE id = ${id}`,
  ],
};
