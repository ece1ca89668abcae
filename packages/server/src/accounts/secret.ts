import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { requireOwnFile } from '../database/directory-access.ts';
import { createFile, syncDirectory, syncFile } from '../durable-files.ts';
import { StartupError } from '../startup-error.ts';

/** Minimum length of a secret. The auth library replaces an empty one with a published default. */
const minSecretLength = 32;

/**
 * The secret that signs session cookies: the configured one, otherwise the one in the data directory, which the first
 * start creates (256 bits, readable by its owner only). It is on disk when this function returns, so a power failure
 * cannot lose the secret after an account or key was stored. Processes that start at the same time get the same secret.
 *
 * @throws {StartupError} 65 if the file does not contain a complete secret, 73 if it cannot be created
 */
export function readOrCreateSecret(configured: string | undefined, file: string): string {
  if (configured !== undefined) return configured;
  if (existsSync(file)) {
    requireOwnFile(file, { tighten: true });
    // The process that created the file may have been killed before the file was on disk.
    syncFile(file);
    syncDirectory(dirname(file));
  } else {
    createSecret(file);
  }
  return readSecret(file);
}

function createSecret(file: string): void {
  try {
    createFile(file, `${randomBytes(32).toString('base64url')}\n`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartupError(
      'cannotCreate',
      `Cannot create the secret ${file} (${reason}). Give this user write access to the directory, free disk space, or set SOKU_SECRET.`,
    );
  }
}

function readSecret(file: string): string {
  const secret = statSync(file).isFile() ? readFileSync(file, 'utf8').trim() : '';
  if (secret.length >= minSecretLength) return secret;
  throw new StartupError(
    'data',
    `The secret in ${file} is damaged: it has fewer than ${minSecretLength} characters. Restore it from a backup, or remove the file. The next start then creates a new secret, all users must sign in again, and webhooks send nothing until their signing secrets are rotated.`,
  );
}
