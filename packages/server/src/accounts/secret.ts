import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { StartupError } from '../startup-error.ts';

/** Least characters of a secret: the auth library takes a published one in place of an empty one. */
const leastSecretLength = 32;

/**
 * The secret that signs session cookies: the configured one, else the one in the data directory, which the first
 * start makes (256 bits, readable by its owner only).
 *
 * @throws {StartupError} 65 when the file does not hold a whole secret, as after a full disk
 */
export function readOrMakeSecret(configured: string | undefined, file: string): string {
  if (configured !== undefined) return configured;
  if (existsSync(file)) return readSecret(file);
  const secret = randomBytes(32).toString('base64url');
  writeFileSync(file, `${secret}\n`, { mode: 0o600, flag: 'wx' });
  return secret;
}

function readSecret(file: string): string {
  const secret = statSync(file).isFile() ? readFileSync(file, 'utf8').trim() : '';
  if (secret.length >= leastSecretLength) return secret;
  throw new StartupError(
    'data',
    `The secret in ${file} is damaged: it has fewer than ${leastSecretLength} characters. Restore it from a backup, or remove the file: a new one is made, and everybody has to sign in again.`,
  );
}
