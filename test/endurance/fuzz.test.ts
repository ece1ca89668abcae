import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { bearer, call } from '../support/person.ts';
import { Random } from '../support/random.ts';
import { runCount } from '../support/run-count.ts';
import { runInOwnProcess } from '../support/run-in-own-process.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';

const count = Number(process.env.SOKU_FUZZ_COUNT ?? runCount(250, 20_000));
/** Number of concurrent clients. */
const clients = 6;

const runSchema = z.object({
  seen: z.record(z.string(), z.number()),
  /** Bytes by which the server's memory grew after the first tenth; null where the system does not report it. */
  grown: z.number().nullable(),
  problems: z.array(z.string()),
});

/** Outcomes that the requests must reach, so that they test more than the first check. */
const outcomes = ['200', '201', '400', '401', '403', '404', 'invalid_request', 'insufficient_scope'];
/** Outcomes that a short run may miss. The server rarely closes a connection without a response. */
const rareOutcomes = [
  '204',
  '413',
  '415',
  'cross_origin',
  'revoked_key',
  'malformed_authorization',
  'closed',
];

test('malformed requests never make the server fail, hang, or return an error without the error object', async (t) => {
  const random = new Random(process.env.SOKU_FUZZ_SEED);
  t.diagnostic(`SOKU_FUZZ_SEED=${random.seed} SOKU_FUZZ_COUNT=${count}`);
  const server = await startServer({ env: { TRUST_PROXY: '127.0.0.1', SOKU_MAX_ACTIVE_KEYS: '1000000' } });
  try {
    const run = await fuzz(server, random);
    assert.deepEqual(run.problems.slice(0, 5), []);
    assert.ok((run.grown ?? 0) < 256_000_000, 'memory grew too much');
    // On a very busy machine, a program that adds accounts may hold the lock of the database for seconds.
    const lines = server.output.split('\n').filter((line) => !line.includes('"code":"locked"'));
    assert.doesNotMatch(lines.join('\n'), /"level":[56]0/);
    for (const outcome of count < 5000 ? outcomes : [...outcomes, ...rareOutcomes])
      assert.ok((run.seen.get(outcome) ?? 0) >= Math.max(1, Math.floor(count / 5000)), `too few ${outcome}`);
    assert.ok((run.seen.get('201') ?? 0) > count / 100, 'too few keys were created');

    const ada = await openSession(server);
    const { apiKey, key } = await ada.createKey({ name: 'afterwards' });
    assert.equal((await call(`${server.url}/v1/verify`, { headers: bearer(apiKey) })).status, 204);
    await ada.revoke(key.id);
    assert.equal((await call(`${server.url}/v1/verify`, { headers: bearer(apiKey) })).status, 401);
  } catch (error) {
    // A hung server would not stop by itself.
    await server.kill('SIGKILL');
    throw error;
  } finally {
    await server.stop();
  }
});

async function fuzz(server: TestServer, random: Random) {
  const seeds = Array.from({ length: clients }, () => String(random.int(0, 1e9)));
  // Each client needs one session, and another one whenever a request has ended it.
  const enough = { length: 10 * clients + count / 100 };
  const sessions = await Promise.all(Array.from(enough, () => openSession(server)));
  const cookies = sessions.map(({ cookie }) => cookie).join('\n');
  const args = [server.url, String(server.pid), cookies, String(count), ...seeds];
  const { seen, ...rest } = runSchema.parse(
    JSON.parse(await runInOwnProcess(new URL('fuzz-run.ts', import.meta.url), args)),
  );
  return { seen: new Map(Object.entries(seen)), ...rest };
}
