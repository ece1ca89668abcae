import { StartupError } from '../startup-error.ts';

/** A damaged record may be the only trace of a revocation, so Soku does not start until an operator intervenes. */
export function damagedJournal(path: string, place: string): StartupError {
  return new StartupError(
    'data',
    `The revocation journal ${path} is damaged in ${place}. Restore it from a copy. If the database is current and not a restored backup, you can move the file away instead: Soku then recreates the journal from the database.`,
  );
}

/** @param error an error of the file system; a StartupError is returned unchanged */
export function unusableJournal(path: string, error: unknown): StartupError {
  if (error instanceof StartupError) return error;
  const reason = error instanceof Error ? ` (${error.message})` : '';
  return new StartupError(
    'cannotCreate',
    `The revocation journal ${path} cannot be used${reason}. It must be a file that this user can write, on a disk with free space.`,
  );
}
