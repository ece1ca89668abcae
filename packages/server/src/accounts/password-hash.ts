import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';

/** The auth library's parameters of scrypt (RFC 7914): 32 MB and about 0.2 s a hash. */
const cost = { N: 16384, r: 16, p: 1, maxmem: 128 * 16384 * 16 * 2 };
const keyLength = 64;

/** What a worker does for one password. */
export type PasswordTask =
  | { kind: 'hash'; password: string }
  | { kind: 'verify'; password: string; hash: string };

/**
 * Hashes a password, or verifies it against a hash. Synchronous and slow on purpose, so only a worker calls it.
 *
 * @returns the new hash, or whether the password matches
 */
export function runPasswordTask(task: PasswordTask): string | boolean {
  if (task.kind === 'hash') {
    const salt = randomBytes(16).toString('hex');
    return `${salt}:${derive(task.password, salt).toString('hex')}`;
  }
  const [salt, key] = task.hash.split(':');
  if (!salt || !key) throw new Error('a stored password hash is malformed');
  const expected = Buffer.from(key, 'hex');
  const actual = derive(task.password, salt);
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

/** NFKC, because keyboards compose the same character in different ways (NIST SP 800-63B section 5.1.1.2). */
function derive(password: string, salt: string): Buffer {
  return scryptSync(password.normalize('NFKC'), salt, keyLength, cost);
}
