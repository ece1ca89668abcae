/**
 * Runs one program of the in-process figures in its own process, so that the compiler optimizes for its objects
 * only, and prints the rate in thousands per second; with "cpu", per second of CPU time.
 *
 *   node bench/programs/in-process.ts verifier|restricted|map|misses DATA_DIRECTORY KEYS KEYS_IN_USE SECONDS [cpu]
 */
import { hash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { readConfig } from '../../packages/server/src/config.ts';
import { createVerification } from '../../packages/server/src/create-verification.ts';
import { openDataDirectory } from '../../packages/server/src/database/data-directory.ts';
import { openSqlite } from '../../packages/server/src/database/sqlite.ts';
import { createLog } from '../../packages/server/src/http/logging.ts';
import { RevocationJournal } from '../../packages/server/src/journal/journal.ts';
import type { KeyTable } from '../../packages/server/src/verification/key-table.ts';
import { keyAt, spreadEvenly } from '../keys.ts';

/** The operation of each program: finds the owner of a key. @returns the length of an id */
type Find = (key: string) => number;

const address = '192.0.2.1';
const agent = 'bench/1';

const [name = '', dataDir = '', keyCount = '', useCount = '', seconds = '', unit = ''] =
  process.argv.slice(2);
// As flat text: generateKey returns a concatenated string, whose first hash costs more.
const keys = spreadEvenly(Number(useCount), Number(keyCount)).map((number) =>
  Buffer.from(keyAt(number)).toString('latin1'),
);
const order = randomOrder(1 << 20, keys.length);

/** The same order for every program. */
function randomOrder(length: number, below: number): Uint32Array {
  let state = 42;
  return Uint32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  });
}

/** The yardstick: the minimum of every verification of hashed keys. */
function map(): Find {
  const known = new Map(keys.map((key, i) => [hash('sha256', key, 'binary'), { keyId: `key_${i}` }]));
  return (key) => {
    const found = known.get(hash('sha256', key, 'binary'));
    if (found === undefined) throw new Error('a key was not found');
    return found.keyId.length;
  };
}

/** The id of a key stays bytes until it is written; the workspace id is available as text. */
const accept = (keys: KeyTable, row: number) => keys.workspaceId(row).length;

/** The real verifier on the real database, wired as in the server; uses are counted and written. */
async function verifier(env: Record<string, string>, needs?: readonly string[]): Promise<Find> {
  const options = { address, needs };
  const config = readConfig({ SOKU_DATA_DIR: dataDir, SOKU_KEY_RATE_LIMIT: '1000000000', ...env });
  const log = await createLog('warn', false);
  const directory = openDataDirectory(config.dataDir);
  const database = await openSqlite(directory);
  const report = () => log.warn('the data directory was lost, or is back');
  directory.lockMonitor.start({ lost: report, regained: report });
  const { verifier, usage, limits } = await createVerification(
    config,
    database,
    new RevocationJournal(directory, database, log),
    log,
  );
  await limits.start();
  await usage.recover();
  usage.start();
  return (key) => {
    const result = verifier.verifyToken(key, { options, userAgent: agent, accept });
    if (typeof result !== 'number')
      throw new Error('a key was rejected, or the file did not respond at once');
    return result;
  };
}

/** ms of the same work before counting. */
const warmUp = 3000;

/** Operations per turn of the event loop; usage is written between them. */
const slice = 10_000;

async function run(find: Find, ms: number): Promise<number> {
  let done = 0;
  // Read at the end, so that the compiler cannot remove the work.
  let sum = 0;
  const began = performance.now();
  const cpu = process.cpuUsage();
  let took = 0;
  while (took < ms) {
    for (const end = done + slice; done < end; done++) {
      sum += find(keys[order[done % order.length] ?? 0] ?? '');
    }
    await turn();
    took = performance.now() - began;
  }
  if (sum < done) throw new Error('an id was empty');
  const { user, system } = process.cpuUsage(cpu);
  return done / (unit === 'cpu' ? (user + system) / 1000 : took);
}

const programs: Record<string, () => Find | Promise<Find>> = {
  map,
  verifier: () => verifier({}),
  // On data whose keys have scopes and allowed addresses (see restrictedDataDir).
  restricted: () => verifier({}, ['files:read']),
  // With a cache for one key, nearly every verification reads the database.
  misses: () => verifier({ SOKU_CACHE_KEYS: '1' }),
};
const start = programs[name];
if (start === undefined) throw new Error(`unknown program: ${name}`);
const find = await start();
// Verifies every key once before the count. In batches, because a blocked event loop invalidates the cache.
for (const [i, key] of keys.entries()) {
  find(key);
  if (i % 1000 === 0) await turn();
}
await run(find, warmUp);
console.log(await run(find, Number(seconds) * 1000));
process.exit();
