import { errorCodeOf } from '../error-code.ts';
import { StartupError } from '../startup-error.ts';

/** Transient failures: disk full, too many connections, a lock or statement timeout, or PostgreSQL starts or stops. */
const transientCodes = new Set(['53100', '53300', '55P03', '57014', '57P01', '57P02', '57P03']);

/** What some of them mean, and what to do. */
const transientHelp: Record<string, string> = {
  '53100': 'has no free disk space; free some',
  '53300': 'has no free connections; raise max_connections or close other connections',
  '55P03':
    'did not get a lock within lock_timeout, because another session holds it; end that session (see pg_stat_activity)',
  '57014':
    'canceled a statement, usually because it exceeded statement_timeout; check pg_stat_activity for slow queries and locks, and start again',
};

/** System calls that fail when the server cannot be reached, or not yet. */
const network = new Set(['connect', 'getaddrinfo', 'read', 'write']);

/** Errors of files, whose system calls have the same names. They are not network faults. */
const ofDisk = new Set(['EIO', 'ENOSPC', 'EDQUOT']);

/** Why PostgreSQL rejects a start, by SQLSTATE. */
export const startFailures: Record<string, string> = {
  '28P01': 'rejected the user or the password',
  '28000': 'rejected the user, or connections from this host (pg_hba.conf)',
  '3D000': 'has no such database',
  '42501': 'does not give this user the required privileges',
  '25006': 'allows this user only to read',
};

/** Failures that the driver reports without a code. */
const uncodedFailures: [pattern: RegExp, problem: string][] = [
  [
    /does not support SSL|establishing an SSL/,
    'does not support TLS, which is required for another host. Set ssl = on there; or, if the network is trusted, add ?sslmode=disable to the URL, which sends the password and all data unencrypted',
  ],
  [/^SASL/, 'requires a password, but the URL has none'],
];

/** The only code of a pooler's own messages (protocol violation). */
const protocolViolation = '08P01';

/** Codes of OpenSSL and Node for a certificate that does not prove the server's identity. */
const untrusted = /CERT|ISSUER|^UNABLE_TO|^HOSTNAME/;

/** The error for a PostgreSQL server with unsuitable settings. */
export function unsuitablePostgres(problem: string): StartupError {
  return new StartupError('configuration', `DATABASE_URL: PostgreSQL ${problem}.`);
}

/**
 * States in one line why PostgreSQL cannot be used, but never the URL, which contains the password.
 *
 * @returns the error itself when it does not concern PostgreSQL
 */
export function explainConnectFailure(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StartupError) return error;
  const problem = problemOf(error);
  if (problem !== undefined) {
    return new StartupError(
      'configuration',
      `DATABASE_URL: ${problem}. Example: DATABASE_URL=postgres://soku:password@db.example.com/soku`,
    );
  }
  if (!isTransientFailure(error)) return error;
  const help = transientHelp[firstCode(error)];
  if (help !== undefined) {
    return new StartupError(
      'unavailable',
      `DATABASE_URL: PostgreSQL ${help} (${firstCode(error)}: ${error.message}).`,
    );
  }
  return new StartupError(
    'unavailable',
    `DATABASE_URL: PostgreSQL does not respond (${firstCode(error) || error.message}). Check that it is running and reachable from this host.`,
  );
}

/**
 * Does the same for failures after the database was opened, when files other than those of the URL are in use too.
 *
 * @returns the error itself when it does not concern PostgreSQL
 */
export function explainStartFailure(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const isOfFile = 'syscall' in error && (!isNetwork(error) || ofDisk.has(firstCode(error)));
  return isOfFile ? error : explainConnectFailure(error);
}

/** The problem that an operator must fix; undefined for other failures. */
function problemOf(error: Error): string | undefined {
  const code = firstCode(error);
  if (code === 'ENOENT' || code === 'EACCES') {
    return isNetwork(error) ? undefined : `a file that it names cannot be read (${error.message})`;
  }
  if (untrusted.test(code)) {
    return `the certificate of PostgreSQL is not trusted (${code}); set sslrootcert= to the certificate of its authority, or, if the network is trusted, disable encryption with sslmode=disable`;
  }
  if (code === protocolViolation) return pooler(error.message);
  const uncoded = uncodedFailures.find(([pattern]) => code === '' && pattern.test(error.message));
  const problem = startFailures[code] ?? uncoded?.[1];
  return problem === undefined ? undefined : `PostgreSQL ${problem}`;
}

/** @param message from a pooler, or from a server that is not PostgreSQL */
function pooler(message: string): string {
  if (/startup parameter/.test(message)) {
    return `a pooler in front of PostgreSQL rejects Soku's startup parameters (${message}); in PgBouncer set ignore_startup_parameters = statement_timeout,lock_timeout,idle_in_transaction_session_timeout, and these timeouts on the role`;
  }
  return `the connection was rejected (${message})`;
}

/** Whether a retry may succeed in a moment. */
export function isTransientFailure(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof StartupError) return false;
  const code = firstCode(error);
  // The driver has no code for a closed connection or a connection timeout.
  return (
    transientCodes.has(code) || isNetwork(error) || (code === '' && /timeout|terminated/.test(error.message))
  );
}

function isNetwork(error: Error): boolean {
  const first = firstOf(error);
  return 'syscall' in first && typeof first.syscall === 'string' && network.has(first.syscall);
}

export function firstCode(error: unknown): string {
  return error instanceof Error ? errorCodeOf(firstOf(error)) : '';
}

/** A host can have several addresses that all failed. */
function firstOf(error: Error): Error {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error ? first : error;
}
