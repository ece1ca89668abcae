import { codeOf } from '../code-of.ts';
import { StartupError } from '../startup-error.ts';

/** No room on the disk, no connection left, a lock or a statement that took too long, or it starts or stops. */
const passing = new Set(['53100', '53300', '55P03', '57014', '57P01', '57P02', '57P03']);

/** What those of them mean that PostgreSQL itself says, and what to do. */
const waits: Record<string, string> = {
  '53100': 'has no room on its disk; free some',
  '53300': 'has no connection left; raise max_connections, or stop what holds them',
  '55P03':
    'did not get a lock within lock_timeout, because another session holds it; end that one (pg_stat_activity shows it)',
  '57014':
    'cancelled a statement, mostly because it took longer than statement_timeout; look in pg_stat_activity for what is slow or holds a lock, and start again',
};

/** System calls that fail when there is no way to it, or not yet. */
const network = new Set(['connect', 'getaddrinfo', 'read', 'write']);

/** A file is read and written, too, by calls of the same names; these are no faults of a network. */
const ofDisk = new Set(['EIO', 'ENOSPC', 'EDQUOT']);

/** Why PostgreSQL rejects a start, by SQLSTATE. */
export const startFailures: Record<string, string> = {
  '28P01': 'refused the user or the password',
  '28000': 'refused the user, or connections from here (pg_hba.conf)',
  '3D000': 'has no such database',
  '42501': 'does not give this user the rights that it needs',
  '25006': 'lets this user only read',
};

/** Reasons that the driver gives in words, without a code. */
const words: [pattern: RegExp, problem: string][] = [
  [
    /does not support SSL|establishing an SSL/,
    'speaks no TLS. Without sslmode=disable another host must: set ssl = on there; or, if the network between is trusted, add ?sslmode=disable to the address, which sends the password and all data unencrypted',
  ],
  [/^SASL/, 'asks for a password, and the address has none'],
];

/** A pooler's own words come with this code alone (protocol violation). */
const protocolViolation = '08P01';

/** Codes of OpenSSL and Node for a certificate that does not prove who the server is. */
const untrusted = /CERT|ISSUER|^UNABLE_TO|^HOSTNAME/;

/** A PostgreSQL that is not set up as we need it. */
export function unfit(problem: string): StartupError {
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
  const said = waits[firstCode(error)];
  if (said !== undefined) {
    return new StartupError(
      'unavailable',
      `DATABASE_URL: PostgreSQL there ${said} (${firstCode(error)}: ${error.message}).`,
    );
  }
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
    return `the certificate of PostgreSQL is not to be trusted (${code}); name that of its authority with sslrootcert=, or, if the network between is trusted, turn encryption off with sslmode=disable`;
  }
  if (code === protocolViolation) return pooler(error.message);
  const said = words.find(([pattern]) => code === '' && pattern.test(error.message));
  const refusal = startFailures[code] ?? said?.[1];
  return refusal === undefined ? undefined : `PostgreSQL ${refusal}`;
}

/** @param message what a pooler, or a server that is no PostgreSQL, says */
function pooler(message: string): string {
  if (/startup parameter/.test(message)) {
    return `a pooler before PostgreSQL refuses what Soku asks for (${message}); in PgBouncer set ignore_startup_parameters = statement_timeout,lock_timeout,idle_in_transaction_session_timeout, and these timeouts on the role`;
  }
  return `the connection was refused (${message})`;
}

/** Whether the database may be there in a moment. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof StartupError) return false;
  const code = firstCode(error);
  // The driver has no code for a connection that was closed, or took too long.
  return passing.has(code) || isNetwork(error) || (code === '' && /timeout|terminated/.test(error.message));
}

function isNetwork(error: Error): boolean {
  const first = firstOf(error);
  return 'syscall' in first && typeof first.syscall === 'string' && network.has(first.syscall);
}

export function firstCode(error: unknown): string {
  return error instanceof Error ? codeOf(firstOf(error)) : '';
}

/** A host can have several addresses, each of which failed. */
function firstOf(error: Error): Error {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error ? first : error;
}
