import { readFileSync } from 'node:fs';
import pg from 'pg';

/**
 * Modes that the driver takes for verify-full, and says so on stderr, where nobody can tell it from a fault. Whoever
 * wants less than libpq's verify-full says so by the driver's own words: sslmode=no-verify, or uselibpqcompat=true.
 */
const verifyFull = new Set(['prefer', 'require', 'verify-ca']);

/** The address's files, by the driver's names for what is in them. */
const tlsFiles = { sslrootcert: 'ca', sslcert: 'cert', sslkey: 'key' };

/**
 * The driver's settings for an address. Without an `sslmode` a connection to another host is encrypted and the
 * certificate checked, or there is none: the driver's own default sends the password, or what proves it, and all data
 * in clear. A server that refuses TLS is never given anything but the request for it.
 *
 * @param address DATABASE_URL
 * @throws when a file that the address names cannot be read
 */
export function clientConfigOf(address: string): pg.ClientConfig {
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

/** Whether a connection stays on this machine: a Unix socket, or a loopback address. */
function isLocal(address: string): boolean {
  // As the driver sees it: the host may be a parameter, or come from PGHOST.
  const { host } = new pg.Client({ connectionString: address });
  return (
    host.startsWith('/') ||
    /^(localhost|127(\.\d{1,3}){3}|::1|::ffff:127\.[\d.]+|::ffff:7f[0-9a-f:]+)$/i.test(host)
  );
}

/**
 * Reads the files of a verified connection once. The driver would read them for each connection anew, and throw where
 * nobody catches it when one of them is not there any more.
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
