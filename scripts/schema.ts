/**
 * Prevents a modified database from going unnoticed: writes the schema that the migrations create to
 * packages/server/src/database/expected/, and each start compares its database with it.
 *
 * `npm run schema` writes the files of both databases and starts a PostgreSQL for that. With --check, it compares the
 * file of SQLite and only the age of the other one, which is fast; database/expected.test.ts compares both in full.
 */

import { writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import {
  migrationNames,
  type Snapshot,
  updateCommand,
} from '../packages/server/src/database/schema-objects.ts';
import { postgresSnapshot, readSnapshot, snapshotFile, sqliteSnapshot } from '../test/support/schema.ts';

async function check(): Promise<void> {
  const isCurrent =
    isDeepStrictEqual(readSnapshot('sqlite'), await sqliteSnapshot()) &&
    readSnapshot('postgres').migrations === migrationNames();
  if (isCurrent) return;
  console.error(
    `packages/server/src/database/expected/ does not match the migrations. Run: ${updateCommand}`,
  );
  process.exitCode = 1;
}

function write(name: 'sqlite' | 'postgres', snapshot: Snapshot): void {
  writeFileSync(snapshotFile(name), `${JSON.stringify(snapshot, null, 2)}\n`);
}

if (process.argv.includes('--check')) {
  await check();
} else {
  write('sqlite', await sqliteSnapshot());
  write('postgres', await postgresSnapshot());
}
