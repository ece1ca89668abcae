/**
 * Runs one contestant of the in-process figures in a process of its own, so that none is compiled for another one's
 * objects, and prints how many thousands a second it does.
 *
 *   node bench/programs/in-process.ts verifier|map|misses DATA_DIRECTORY KEYS KEYS_IN_USE SECONDS
 */
import { hash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { createVerification } from '../../packages/server/src/app.ts';
import { readConfig } from '../../packages/server/src/config.ts';
import { openDataDirectory } from '../../packages/server/src/database/data-directory.ts';
import { openSqlite } from '../../packages/server/src/database/sqlite.ts';
import { createLog } from '../../packages/server/src/http/logging.ts';
import { RevocationJournal } from '../../packages/server/src/journal/journal.ts';
import type { KeyTable } from '../../packages/server/src/verification/key-table.ts';
import { keyAt, spread } from '../keys.ts';

/** What the loop asks of each contestant: whose key is this? @returns the length of an id */
type Find = (key: string) => number;

const address = '192.0.2.1';
const agent = 'bench/1';

const [name = '', dataDir = '', keyCount = '', useCount = '', seconds = ''] = process.argv.slice(2);
// As flat text: what generateKey returns is a chain of pieces, whose hash costs more the first time.
const keys = spread(Number(useCount), Number(keyCount)).map((number) =>
  Buffer.from(keyAt(number)).toString('latin1'),
);
const order = randomOrder(1 << 20, keys.length);

/** The same for everybody. */
function randomOrder(length: number, below: number): Uint32Array {
  let state = 42;
  return Uint32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  });
}

/** The yardstick: what no verification of hashed keys can do without. */
function map(): Find {
  const known = new Map(keys.map((key, i) => [hash('sha256', key, 'binary'), { keyId: `key_${i}` }]));
  return (key) => {
    const found = known.get(hash('sha256', key, 'binary'));
    if (found === undefined) throw new Error('a key was not found');
    return found.keyId.length;
  };
}

const use = { address };
/** The id of a key stays bytes until it is written somewhere; whose key it is, the server knows as text. */
const accept = (keys: KeyTable, row: number) => keys.workspaceId(row).length;

/** The real verifier over the real database, put together as the server does it; uses are counted and written. */
async function verifier(env: Record<string, string>): Promise<Find> {
  const config = readConfig({ SOKU_DATA_DIR: dataDir, SOKU_KEY_RATE_LIMIT: '1000000000', ...env });
  const log = await createLog('warn', false);
  const directory = openDataDirectory(config.dataDir);
  const database = await openSqlite(directory);
  const report = () => log.warn('the data directory was lost, or is back');
  directory.hold.start({ lost: report, regained: report });
  const { verifier, usage, limits } = await createVerification(
    config,
    database,
    new RevocationJournal(directory, database, log),
    log,
  );
  await limits.start();
  usage.start();
  return (key) => {
    const answer = verifier.verifyToken(key, { use, userAgent: agent, accept });
    if (typeof answer !== 'number') throw new Error('a key was refused, or the file did not answer at once');
    return answer;
  };
}

/** ms of the same work before the count. */
const warmUp = 3000;

/** How many are done in one turn of the event loop; between them the writing of usage has its turns. */
const slice = 10_000;

async function run(find: Find, ms: number): Promise<number> {
  let done = 0;
  // Read at the end, so that no compiler can leave the work out.
  let sum = 0;
  const began = performance.now();
  let took = 0;
  while (took < ms) {
    for (const end = done + slice; done < end; done++) {
      sum += find(keys[order[done % order.length] ?? 0] ?? '');
    }
    await turn();
    took = performance.now() - began;
  }
  if (sum < done) throw new Error('an id was empty');
  return done / took;
}

const contestants: Record<string, () => Find | Promise<Find>> = {
  map,
  verifier: () => verifier({}),
  // With room for one key nearly every one is read from the database.
  misses: () => verifier({ SOKU_CACHE_KEYS: '1' }),
};
const start = contestants[name];
if (start === undefined) throw new Error(`there is no contestant ${name}`);
const find = await start();
// Every key has been seen before the count. In turns: a server whose event loop stood still trusts nothing in memory.
for (const [i, key] of keys.entries()) {
  find(key);
  if (i % 1000 === 0) await turn();
}
await run(find, warmUp);
console.log(await run(find, Number(seconds) * 1000));
process.exit();
