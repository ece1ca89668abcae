import { createReadStream } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { auditEventSchema } from '@soku/contract/audit';
import { Kysely } from 'kysely';
import { addToAnchor, type Break, verifyChains } from '../audit/verify.ts';
import { openForReading } from '../backup/source.ts';
import { type Config, readConfig } from '../config.ts';
import type { Tables } from '../database/schema.ts';
import { NodeSqliteDialect } from '../database/sqlite-dialect.ts';
import { createLog } from '../http/logging.ts';
import { StartupError } from '../startup-error.ts';
import { fileOfOperator, UsageError } from './command-line.ts';
import { openPostgresNow } from './open-postgres.ts';

/** ms between two lines of progress. */
const reportEvery = 1000;

/** Exit code of a log that is not what it was. */
const broken = 1;

/**
 * `audit verify`. Servers may run meanwhile.
 *
 * @param args what follows the word audit
 * @param anchor of the option --anchor: an export
 * @returns the exit code
 */
export async function auditCommand(args: string[], anchor: string | undefined): Promise<number> {
  if (args.length !== 1 || args[0] !== 'verify') throw new UsageError('There is no such command.');
  const known = anchor === undefined ? new Map() : await readAnchor(fileOfOperator(anchor));
  const { db, close } = await openForVerification(readConfig(process.env));
  try {
    const { chains, events, unsealed, breaks } = await verifyChains(db, known, reportNowAndThen());
    for (const found of breaks) console.error(describe(found));
    if (breaks.length > 0) return broken;
    console.log(`Verified ${events.toLocaleString('en')} events in ${chains} chains.`);
    if (unsealed > 0) console.log(`${unsealed} newer events are not sealed yet, and were not verified.`);
    if (anchor === undefined)
      console.log(
        'Without --anchor FILE, events that are missing at the end of a chain and a chain that was rewritten as a whole are not found.',
      );
    return 0;
  } finally {
    await close();
  }
}

function describe({ chain, sequence, id, problem }: Break): string {
  return `soku: chain ${chain}, event ${sequence}${id === null ? '' : ` (${id})`}: ${problem}.`;
}

/** @throws {StartupError} 65 when it is no export */
async function readAnchor(file: string) {
  const anchor = new Map<string, Map<number, { id: string; hash: string }>>();
  let number = 0;
  try {
    for await (const line of createInterface({ input: createReadStream(file) })) {
      number += 1;
      if (line !== '') addToAnchor(anchor, auditEventSchema.parse(JSON.parse(line)));
    }
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? error.message : `line ${number} is no event`;
    throw new StartupError('data', `${file} cannot be read as an export of the audit log (${reason}).`);
  }
  return anchor;
}

async function openForVerification({ databaseUrl, dataDir }: Config) {
  if (databaseUrl === undefined) {
    // The file is read as it is: a server may have it in use.
    const file = openForReading(join(resolve(dataDir), 'soku.db'));
    const db = new Kysely<Tables>({ dialect: new NodeSqliteDialect(file) });
    return { db, close: () => db.destroy() };
  }
  const database = await openPostgresNow(databaseUrl, await createLog('silent', false));
  return { db: database.kysely, close: () => database.close() };
}

function reportNowAndThen(): (events: number) => void {
  let reported = performance.now();
  return (events) => {
    if (performance.now() - reported < reportEvery) return;
    reported = performance.now();
    console.error(`${events.toLocaleString('en')} events`);
  };
}
