import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import {
  explainConnectFailure,
  firstCode,
  isTransientFailure,
  startFailures,
  unsuitablePostgres,
} from './postgres-failures.ts';
import { tooManyConnectionsCode } from './postgres-pool.ts';
import { haveSeparateSessions, statementPoolingPattern } from './postgres-pooler.ts';
import { checkPostgresSchema } from './postgres-schema.ts';

/** The oldest supported version, which has gen_random_uuid. */
const oldest = 13;

/** How long a start waits for a database that is also starting, and the pause between attempts, in ms. */
export interface StartRetry {
  timeoutMs: number;
  pauseMs: number;
}

/** Long enough for a database that is started at the same time by a compose file or at boot. */
const defaultRetry: StartRetry = { timeoutMs: 15_000, pauseMs: 500 };

/**
 * Waits until PostgreSQL accepts a connection, and checks that its settings are suitable.
 *
 * @throws {StartupError} when it is not
 */
export async function waitForPostgres(
  connection: pg.ClientConfig,
  log: Logger,
  { timeoutMs, pauseMs } = defaultRetry,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  let warned = false;
  for (;;) {
    try {
      return await withClient(connection, async (client) => {
        await checkSettings(client);
        await withClient(connection, (other) => requireOwnSessions(client, other));
      });
    } catch (error) {
      if (!isTransientFailure(error) || performance.now() > deadline) throw explainConnectFailure(error);
      if (!warned) {
        log.warn(`PostgreSQL ${stateOf(error)}; retrying for up to ${timeoutMs / 1000} s`);
      }
      warned = true;
      await wait(pauseMs);
    }
  }
}

function stateOf(error: unknown): string {
  const code = firstCode(error);
  if (code === tooManyConnectionsCode) return `has no free connections (${code})`;
  return `does not respond yet (${code || 'no response'})`;
}

async function withClient<T>(
  connection: pg.ClientConfig,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client(connection);
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Checks the settings on which the guarantees depend. Each wrong value is the default of some installation. */
async function checkSettings(client: pg.Client): Promise<void> {
  const { rows } = await client.query(
    `SELECT current_setting('server_version_num')::int / 10000 AS version,
            pg_is_in_recovery() AS replica,
            current_setting('transaction_read_only') AS "readOnly",
            current_setting('synchronous_commit') AS durable,
            current_setting('transaction_isolation') AS isolation,
            current_setting('session_replication_role') AS role,
            current_setting('idle_in_transaction_session_timeout') AS "idleTimeout",
            current_user AS "user",
            current_setting('server_encoding') AS encoding`,
  );
  const { version, replica, readOnly, durable, isolation, role, encoding, idleTimeout, user } = rows[0];
  if (version < oldest)
    throw unsuitablePostgres(`is version ${version}, but version ${oldest} or later is required`);
  if (replica) throw unsuitablePostgres('is a read-only replica; use the address of the primary');
  if (readOnly === 'on')
    throw unsuitablePostgres(`${startFailures['25006']} (default_transaction_read_only = on)`);
  if (durable === 'off') {
    throw unsuitablePostgres(
      'has synchronous_commit = off, so a crash could undo an acknowledged revoke; set it to on',
    );
  }
  // A transaction that waited for a lock must then see what the other one wrote.
  if (isolation !== 'read committed') {
    throw unsuitablePostgres(
      `has default_transaction_isolation = '${isolation}'; set it to 'read committed'`,
    );
  }
  if (role !== 'origin') {
    throw unsuitablePostgres(
      `has session_replication_role = '${role}', which disables foreign keys; set it to 'origin'`,
    );
  }
  if (idleTimeout === '0') {
    throw unsuitablePostgres(
      `has idle_in_transaction_session_timeout = 0, because a pooler drops Soku's startup parameters; set it on the role: ALTER ROLE ${pg.escapeIdentifier(user)} SET idle_in_transaction_session_timeout = '1s', and the same for statement_timeout = '10s' and lock_timeout = '5s'`,
    );
  }
  if (encoding !== 'UTF8') {
    throw unsuitablePostgres(
      `uses the encoding ${encoding} for this database, which cannot store all names; run CREATE DATABASE soku ENCODING 'UTF8' TEMPLATE template0`,
    );
  }
}

async function requireOwnSessions(client: pg.Client, other: pg.Client): Promise<void> {
  const isOwn = await haveSeparateSessions(client, other).catch((error) => {
    if (statementPoolingPattern.test(String(error))) return false;
    throw error;
  });
  if (isOwn) return;
  throw unsuitablePostgres(
    'is behind a pooler that gives each transaction a different session, so notifications of revoked keys are lost; in PgBouncer set pool_mode = session for this database, or connect to PostgreSQL directly',
  );
}

/** Tables that are written at run time, or by a restore and a move. */
const written = [
  'user',
  'session',
  'account',
  'workspace',
  'workspace_member',
  'api_key',
  'api_key_secret',
  'dead_hash',
  'scope',
  'ended_use',
  'idempotency',
  'usage_hour',
  'last_use',
  'key_use',
  'key_preview',
  'usage_total',
  'usage_refusal',
  'usage_day',
  'usage_client',
  'usage_writer',
  'usage_history',
  'rate_window',
  'audit_event',
  'webhook',
  'webhook_delivery',
  'mail',
  'mail_cursor',
  'mail_preference',
  'key_reminder',
  'idle_warning',
  'age_warning',
  'change_head',
  'key_change',
  'key_change_batch',
  'verifier_node',
];

/** Tables from which rows are deleted. Without this right on verifier_node, changes would wait for stopped nodes. */
const deleted = [
  'session',
  'scope',
  'ended_use',
  'idempotency',
  'usage_hour',
  'usage_total',
  'usage_refusal',
  'usage_day',
  'usage_client',
  'usage_writer',
  'rate_window',
  'audit_event',
  'webhook',
  'webhook_delivery',
  'mail',
  'key_reminder',
  'idle_warning',
  'key_change',
  'key_change_batch',
  'verifier_node',
];

const lackingRight = `
  SELECT name, privilege FROM (
    SELECT name, privilege FROM unnest($1::text[]) AS name, unnest('{SELECT,INSERT,UPDATE}'::text[]) AS privilege
    UNION ALL SELECT name, 'DELETE' FROM unnest($2::text[]) AS name
  ) AS needed
  WHERE NOT has_table_privilege(quote_ident(name), privilege) LIMIT 1`;

/**
 * Checks the tables of the newest schema: that they are what the migrations create, and that the user may write them.
 *
 * @throws {StartupError} 65 when the schema was changed by hand, 78 when a right is missing
 */
export async function checkSchemaAndPrivileges(connection: pg.ClientConfig): Promise<void> {
  await withClient(connection, async (client) => {
    await checkPostgresSchema(client);
    await checkRights(client);
  });
}

/** Checks privileges now: a user other than the owner of the tables may lack one, and the first created key would fail. */
async function checkRights(client: pg.Client): Promise<void> {
  const { rows } = await client.query(lackingRight, [written, deleted]);
  const [missing] = rows;
  if (missing !== undefined)
    throw unsuitablePostgres(`${startFailures['42501']} (${missing.privilege} on the table ${missing.name})`);
}
