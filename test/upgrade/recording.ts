/** Data of an earlier version, which record.ts writes and data.test.ts reads. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import pg from 'pg';
import { z } from 'zod';
import type { BackupFixture } from '../backup/fixture.ts';

export const prefix = 'sk_live_';

const recordingSchema = z.object({
  /** Epoch ms, in the last hour of its use. */
  at: z.number(),
  /** Session cookie of a person. */
  cookie: z.string(),
  /** The secret without its prefix, because secret scanners report both in one file. */
  keys: z.record(z.string(), z.object({ id: z.string(), secret: z.string() })),
  /** Responses of the interface at the end: all keys, and the usage of each by ID. */
  before: z.object({ list: z.unknown(), workspace: z.unknown(), usage: z.record(z.string(), z.unknown()) }),
  /** The file dead-hashes. */
  journal: z.string(),
  sql: z.string(),
  /** A backup from before the last changes, as SQL. */
  backup: z.string(),
});
export type Recording = z.infer<typeof recordingSchema>;

/** @param name file in this folder */
export function readRecording(name: string, kind: BackupFixture['kind']): Recording {
  const file = fileURLToPath(new URL(name, import.meta.url));
  const recordings = z
    .record(z.string(), recordingSchema)
    .parse(JSON.parse(gunzipSync(readFileSync(file)).toString()));
  const recording = recordings[kind];
  if (recording === undefined) throw new Error(`${name} has no recording for ${kind}`);
  return recording;
}

/** Replaces the data directory and the database of an empty scene with the recorded ones. */
export async function unpack({ sql, journal }: Recording, fixture: BackupFixture): Promise<void> {
  writeFileSync(join(fixture.dataDir, 'dead-hashes'), journal);
  const { DATABASE_URL: url } = fixture.variables;
  if (url === undefined)
    return writeSqlite(join(fixture.dataDir, 'soku.db'), `PRAGMA journal_mode = WAL; ${sql}`);
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

export function writeSqlite(file: string, sql: string): void {
  const database = new DatabaseSync(file);
  try {
    database.exec(sql);
  } finally {
    database.close();
  }
}
