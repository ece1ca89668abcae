import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import { codeOf } from '../code-of.ts';
import { StartupError } from '../startup-error.ts';
import { checkPostgresSchema } from './postgres-schema.ts';

/** The oldest version whose functions we use (gen_random_uuid). */
const oldest = 13;

/** How long a start waits for a database that is starting, too, and how long between two tries. ms. */
export interface Patience {
  patience: number;
  pause: number;
}

/** Long enough for a database that a compose file or a machine starts at the same time. */
const usualPatience: Patience = { patience: 15_000, pause: 500 };

/** No room on the disk, no connection left, a lock or a statement that took too long, or it starts or stops. */
const passing = new Set(['53100', '53300', '55P03', '57014', '57P01', '57P02', '57P03']);

/** System calls that fail when there is no way to it, or not yet. */
const network = new Set(['connect', 'getaddrinfo', 'read', 'write']);

/** A file is read and written, too, by calls of the same names; these are no faults of a network. */
const ofDisk = new Set(['EIO', 'ENOSPC', 'EDQUOT']);

/** It is there and does not let us in, or not do what we must. */
const refusals: Record<string, string> = {
  '28P01': 'refused the user or the password',
  '28000': 'refused the user, or connections from here (pg_hba.conf)',
  '3D000': 'has no such database',
  '42501': 'does not give this user the rights that it needs',
  '25006': 'lets this user only read',
};

/** Reasons that the driver gives in words, without a code. */
const words: [pattern: RegExp, problem: string][] = [
  [/does not support SSL/, 'speaks no TLS, which sslmode asks for'],
  [/^SASL/, 'asks for a password, and the address has none'],
];

/** Codes of OpenSSL and Node for a certificate that does not prove who the server is. */
const untrusted = /CERT|ISSUER|^UNABLE_TO|^HOSTNAME/;

/**
 * Waits until PostgreSQL lets us in, and looks whether it is one that we can use.
 *
 * @throws {StartupError} when it is not
 */
export async function connected(
  connection: pg.ClientConfig,
  log: Logger,
  { patience, pause } = usualPatience,
): Promise<void> {
  const deadline = performance.now() + patience;
  let told = false;
  for (;;) {
    try {
      return await withClient(connection, look);
    } catch (error) {
      if (!isPassing(error) || performance.now() > deadline) throw refusedStart(error);
      if (!told) {
        log.warn(
          `PostgreSQL does not answer yet (${firstCode(error) || 'no answer'}); trying for ${patience / 1000} s`,
        );
      }
      told = true;
      await wait(pause);
    }
  }
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

/** What the promises rest on. Each of these is somebody's default somewhere. */
async function look(client: pg.Client): Promise<void> {
  const { rows } = await client.query(
    `SELECT current_setting('server_version_num')::int / 10000 AS version,
            pg_is_in_recovery() AS replica,
            current_setting('transaction_read_only') AS "readOnly",
            current_setting('synchronous_commit') AS durable,
            current_setting('transaction_isolation') AS isolation,
            current_setting('session_replication_role') AS role,
            current_setting('server_encoding') AS encoding`,
  );
  const { version, replica, readOnly, durable, isolation, role, encoding } = rows[0];
  if (version < oldest) throw unfit(`is version ${version}, but ${oldest} or newer is needed`);
  if (replica) throw unfit('is a read-only replica; give the address of the primary');
  if (readOnly === 'on') throw unfit(`${refusals['25006']} (default_transaction_read_only = on)`);
  if (durable === 'off') {
    throw unfit(
      'has synchronous_commit = off, with which a crash can undo a revoke that was answered; set it to on',
    );
  }
  // Whoever waited for a lock must then see what the other one wrote.
  if (isolation !== 'read committed') {
    throw unfit(`has default_transaction_isolation = '${isolation}'; set it to 'read committed'`);
  }
  if (role !== 'origin') {
    throw unfit(
      `has session_replication_role = '${role}', which switches foreign keys off; set it to 'origin'`,
    );
  }
  if (encoding !== 'UTF8') {
    throw unfit(
      `keeps this database in ${encoding}, which cannot hold every name; CREATE DATABASE soku ENCODING 'UTF8' TEMPLATE template0`,
    );
  }
}

/** Tables that are written while the process runs. */
const written = [
  'user',
  'session',
  'account',
  'workspace',
  'workspace_member',
  'api_key',
  'api_key_secret',
  'dead_hash',
  'idempotency',
  'usage_hour',
  'last_use',
  'usage_writer',
  'rate_window',
  'change_head',
  'key_change',
  'verifier_node',
];

/** Those of them in which rows are deleted. Without verifier_node, a node that is gone would be waited for for ever. */
const deleted = [
  'session',
  'idempotency',
  'usage_hour',
  'usage_writer',
  'rate_window',
  'key_change',
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
export async function checkTables(connection: pg.ClientConfig): Promise<void> {
  await withClient(connection, async (client) => {
    await checkPostgresSchema(client);
    await checkRights(client);
  });
}

/** Another user than the owner of the tables may lack a right, which would show with the first key that is created. */
async function checkRights(client: pg.Client): Promise<void> {
  const { rows } = await client.query(lackingRight, [written, deleted]);
  const [missing] = rows;
  if (missing !== undefined)
    throw unfit(`${refusals['42501']} (${missing.privilege} on the table ${missing.name})`);
}

function unfit(problem: string): StartupError {
  return new StartupError('configuration', `DATABASE_URL: PostgreSQL there ${problem}.`);
}

/**
 * Says in one line why PostgreSQL cannot be used. Never tells the address, which has the password in it.
 *
 * @returns the error itself when it is none of PostgreSQL's making
 */
export function refusedStart(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StartupError) return error;
  const problem = problemOf(error);
  if (problem !== undefined) {
    return new StartupError(
      'configuration',
      `DATABASE_URL: ${problem}. Example: DATABASE_URL=postgres://soku:password@db.example.com/soku`,
    );
  }
  if (!isPassing(error)) return error;
  return new StartupError(
    'unavailable',
    `DATABASE_URL: PostgreSQL does not answer (${firstCode(error) || error.message}). Is it running, and reachable from here?`,
  );
}

/**
 * The same for what fails after the database was opened, when other files than those of the address are in use, too.
 *
 * @returns the error itself when it is none of PostgreSQL's making
 */
export function failedStart(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const isOfFile = 'syscall' in error && (!isNetwork(error) || ofDisk.has(firstCode(error)));
  return isOfFile ? error : refusedStart(error);
}

/** What somebody has to set right; undefined when it is not that. */
function problemOf(error: Error): string | undefined {
  const code = firstCode(error);
  if (code === 'ENOENT' || code === 'EACCES') {
    return isNetwork(error) ? undefined : `a file that it names cannot be read (${error.message})`;
  }
  if (untrusted.test(code)) {
    return `the certificate of PostgreSQL is not to be trusted (${code}); name that of its authority with sslrootcert=`;
  }
  const said = words.find(([pattern]) => code === '' && pattern.test(error.message));
  const refusal = refusals[code] ?? said?.[1];
  return refusal === undefined ? undefined : `PostgreSQL ${refusal}`;
}

/** Whether the database may be there in a moment. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof StartupError) return false;
  const code = firstCode(error);
  // The driver has no code for a connection that was closed, or took too long.
  return passing.has(code) || isNetwork(error) || (code === '' && /timeout|terminated/.test(error.message));
}

function isNetwork(error: Error): boolean {
  const first = firstOf(error);
  return 'syscall' in first && typeof first.syscall === 'string' && network.has(first.syscall);
}

function firstCode(error: unknown): string {
  return error instanceof Error ? codeOf(firstOf(error)) : '';
}

/** A host can have several addresses, each of which failed. */
function firstOf(error: Error): Error {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error ? first : error;
}
