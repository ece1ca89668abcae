import { readFileSync } from 'node:fs';
import pg from 'pg';

/**
 * Modes that the driver treats as verify-full, with a warning on stderr that looks like a fault. To use less than
 * libpq's verify-full, an operator sets the driver's own parameters: sslmode=no-verify, or uselibpqcompat=true.
 */
const verifyFull = new Set(['prefer', 'require', 'verify-ca']);

/** Parameters that name files, and the driver's options for their content. */
const tlsFiles = { sslrootcert: 'ca', sslcert: 'cert', sslkey: 'key' };

/**
 * The driver's settings for a URL. Without an `sslmode`, connections to another host require TLS with a verified
 * certificate. The driver's own default would send credentials and all data unencrypted. A server without TLS receives
 * nothing but the TLS request.
 *
 * @param address DATABASE_URL
 * @throws when a file that the URL names cannot be read
 */
export function parsePostgresUrl(address: string): pg.ClientConfig {
  return withFilesRead(withSslMode(address));
}

function withSslMode(address: string): string {
  const url = new URL(address);
  const { searchParams } = url;
  const chosen = searchParams.get('sslmode') || process.env.PGSSLMODE || '';
  const mode = chosen === '' && !isLocal(address) ? 'verify-full' : chosen;
  if (mode === '') return address;
  searchParams.set(
    'sslmode',
    verifyFull.has(mode) && !searchParams.has('uselibpqcompat') ? 'verify-full' : mode,
  );
  return url.href;
}

/** Whether a connection stays on this machine: a Unix socket or a loopback address. */
function isLocal(address: string): boolean {
  // Use the driver's result: the host may be a parameter, or come from PGHOST.
  const { host } = new pg.Client({ connectionString: address });
  return (
    host.startsWith('/') ||
    /^(localhost|127(\.\d{1,3}){3}|::1|::ffff:127\.[\d.]+|::ffff:7f[0-9a-f:]+)$/i.test(host)
  );
}

/**
 * Reads the files of a verified connection once. The driver would read them again for each connection, and throw an
 * uncaught error when one of them no longer exists.
 */
function withFilesRead(address: string): pg.ClientConfig {
  const url = new URL(address);
  const { searchParams } = url;
  const files = Object.entries(tlsFiles).flatMap(([parameter, name]) => {
    const file = searchParams.get(parameter);
    return file === null ? [] : [[name, readFileSync(file, 'utf8')] as const];
  });
  if (
    files.length === 0 ||
    searchParams.get('sslmode') !== 'verify-full' ||
    searchParams.has('uselibpqcompat')
  )
    return { connectionString: address };
  for (const parameter of [...Object.keys(tlsFiles), 'sslmode']) searchParams.delete(parameter);
  return { connectionString: url.href, ssl: Object.fromEntries(files) };
}
