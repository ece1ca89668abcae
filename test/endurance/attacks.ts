/** SQL against dead keys that means the same on both databases. */

/** As SQL: `id` and `hash` are the first dead key's, `livingId` and `livingHash` another's, `strangeHash` nobody's. */
export interface Names {
  id: string;
  hash: string;
  livingId: string;
  livingHash: string;
  strangeHash: string;
}

export type Attack = (names: Names) => string[];

/** The columns that a row must have. */
export const [aKeyRow, aSecretRow] = [
  '(id, workspace_id, created_by, name, name_folded, scopes, created_at)',
  '(hash, key_id, prefix, preview_start, preview_end, created_at)',
];

/** Each must be refused by the database. */
export const refusedOnBoth: Record<string, Attack> = {
  'clearing revoked_at': ({ id }) => [`UPDATE api_key SET revoked_at = NULL WHERE id = ${id}`],
  'clearing revoked_at of all keys': () => ['UPDATE api_key SET revoked_at = NULL, revoked_by = NULL'],
  'clearing it from another table': ({ id }) => [
    `UPDATE api_key SET revoked_at = w.none FROM (SELECT CAST(NULL AS BIGINT) AS none) AS w WHERE api_key.id = ${id}`,
  ],
  'another revoked_at': ({ id }) => [`UPDATE api_key SET revoked_at = 9999999999999 WHERE id = ${id}`],
  'another revoked_by': ({ id }) => [`UPDATE api_key SET revoked_by = 'usr_2' WHERE id = ${id}`],
  'another id': ({ id }) => [`UPDATE api_key SET id = 'key_other' WHERE id = ${id}`],
  'another workspace': ({ id }) => [`UPDATE api_key SET workspace_id = 'ws_b' WHERE id = ${id}`],
  'deleting the key': ({ id }) => [`DELETE FROM api_key WHERE id = ${id}`],
  'deleting the secret': ({ hash }) => [`DELETE FROM api_key_secret WHERE hash = ${hash}`],
  'deleting all secrets, then all keys': () => ['DELETE FROM api_key_secret', 'DELETE FROM api_key'],
  'deleting and inserting the key': ({ id }) => [
    `DELETE FROM api_key WHERE id = ${id}`,
    `INSERT INTO api_key ${aKeyRow} VALUES (${id}, 'ws_a', 'x', 'x', 'x', '', 1)`,
  ],
  'inserting the key again': ({ id }) => [
    `INSERT INTO api_key ${aKeyRow} VALUES (${id}, 'ws_a', 'x', 'x', 'x', '', 1)`,
  ],
  'pointing the secret to a living key': ({ hash, livingId }) => [
    `UPDATE api_key_secret SET key_id = ${livingId} WHERE hash = ${hash}`,
  ],
  'a second secret with the hash': ({ hash, livingId }) => [
    `INSERT INTO api_key_secret ${aSecretRow} VALUES (${hash}, ${livingId}, 'sk_live_', 'a', 'b', 1)`,
  ],
  'a secret with a hash that is known to be dead and has none': ({ livingId, strangeHash }) => [
    `INSERT INTO dead_hash (hash) VALUES (${strangeHash})`,
    `INSERT INTO api_key_secret ${aSecretRow} VALUES (${strangeHash}, ${livingId}, 'sk_live_', 'a', 'b', 1)`,
  ],
  'ending the retirement of a secret': ({ livingHash }) => [
    `UPDATE api_key_secret SET retired_at = 1 WHERE hash = ${livingHash}`,
    `UPDATE api_key_secret SET retired_at = NULL WHERE hash = ${livingHash}`,
  ],
  'deleting and inserting a retired secret': ({ livingId, livingHash }) => [
    `UPDATE api_key_secret SET retired_at = 1 WHERE hash = ${livingHash}`,
    `DELETE FROM api_key_secret WHERE hash = ${livingHash}`,
    `INSERT INTO api_key_secret ${aSecretRow} VALUES (${livingHash}, ${livingId}, 'sk_live_', 'a', 'b', 1)`,
  ],
  'digging the hash up': ({ hash }) => [`DELETE FROM dead_hash WHERE hash = ${hash}`],
  'digging all hashes up': () => ['DELETE FROM dead_hash'],
  'changing the dead hash': ({ hash, strangeHash }) => [
    `UPDATE dead_hash SET hash = ${strangeHash} WHERE hash = ${hash}`,
  ],
  'an upsert of the key': ({ id }) => [
    `INSERT INTO api_key ${aKeyRow} VALUES (${id}, 'ws_a', 'x', 'x', 'x', '', 1)
       ON CONFLICT (id) DO UPDATE SET revoked_at = NULL`,
  ],
  'an upsert of the secret': ({ hash, livingId }) => [
    `INSERT INTO api_key_secret ${aSecretRow} VALUES (${hash}, ${livingId}, 'sk_live_', 'a', 'b', 1)
       ON CONFLICT (hash) DO UPDATE SET key_id = excluded.key_id`,
  ],
};

/** These succeed; what they do must not help. */
export const harmlessOnBoth: Record<string, Attack> = {
  'a new secret for the dead key': ({ id, strangeHash }) => [
    `INSERT INTO api_key_secret ${aSecretRow} VALUES (${strangeHash}, ${id}, 'sk_live_', 'a', 'b', 1)`,
  ],
  'another name, scopes and expiry': ({ id }) => [
    `UPDATE api_key SET name = 'x', scopes = 'keys:write', expires_at = NULL WHERE id = ${id}`,
  ],
};
