import { z } from 'zod';
import { StartupError } from '../startup-error.ts';
import { migrations } from './migrate.ts';

/**
 * The schema objects on which the guarantees depend, by kind and name, such as `trigger api_key_dead`, each with its
 * definition as the database reports it. Every character is compared.
 */
export type SchemaObjects = Record<string, string>;

export const snapshotSchema = z.object({
  /** The names of all applied migrations. */
  migrations: z.string(),
  objects: z.record(z.string(), z.string()),
});

/** The schema that the migrations create. `npm run schema` writes it to `expected/`. */
export type Snapshot = z.infer<typeof snapshotSchema>;

/** The command that updates the snapshots. */
export const updateCommand = 'npm run schema';

/** @throws {Error} when the snapshot is older than the migrations; a bug of this version */
export function parseSnapshot(json: unknown): Snapshot {
  const snapshot = snapshotSchema.parse(json);
  if (snapshot.migrations === migrationNames()) return snapshot;
  throw new Error(`the expected schema is older than the migrations: run ${updateCommand}`);
}

export function migrationNames(): string {
  return Object.keys(migrations).join(' ');
}

/** The names of the tables among these objects. */
export function tablesOf(objects: SchemaObjects): string[] {
  return Object.keys(objects).flatMap((name) => (name.startsWith('table ') ? name.slice(6) : []));
}

/** Describes the first object that differs from the expected schema; undefined when there is none. */
function firstDifference(expected: SchemaObjects, found: SchemaObjects): string | undefined {
  for (const [name, definition] of Object.entries(expected)) {
    if (found[name] === undefined) return `${name} is missing`;
    if (found[name] !== definition) return `${name} was changed`;
  }
  const foreign = Object.keys(found).find((name) => !(name in expected));
  return foreign && `${foreign} is not part of Soku`;
}

/**
 * Revocation depends on triggers and unique indexes, so a database with changed or additional ones must not be used.
 *
 * @param where name of the database for the message
 * @throws {StartupError} 65 with the name of the first object that differs
 */
export function requireExpected(where: string, expected: SchemaObjects, found: SchemaObjects): void {
  const difference = firstDifference(expected, found);
  if (difference === undefined) return;
  throw new StartupError(
    'data',
    `${where} has a changed schema: ${difference}. Undo this change. Or take a backup (npm run soku -- backup FILE) and restore it into an empty database: only rows are restored.`,
  );
}
