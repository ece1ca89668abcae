import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { z } from 'zod';
import { bearer, call } from '../support/person.ts';
import { Random } from '../support/random.ts';
import { runApart } from '../support/run-apart.ts';
import { startServer } from '../support/server.ts';

const count = Number(process.env.SOKU_FUZZ_COUNT ?? 20_000);
/** At the same time. */
const clients = 6;

const runSchema = z.object({ seen: z.record(z.string(), z.number()), problems: z.array(z.string()) });

/** What must have been reached: otherwise the requests only knock at the door. */
const depths = ['200', '201', '204', '400', '401', '403', '404', '413', '415', 'closed'].concat([
  'invalid_request',
  'insufficient_scope',
  'cross_origin',
  'revoked_key',

  'malformed_authorization',
]);

test('no request, however odd, makes the server fail, hang, or answer outside its envelope', async (t) => {
  const random = new Random(process.env.SOKU_FUZZ_SEED);
  t.diagnostic(`SOKU_FUZZ_SEED=${random.seed} SOKU_FUZZ_COUNT=${count}`);
  const server = await startServer({ env: { TRUST_PROXY: '127.0.0.1', SOKU_MAX_ACTIVE_KEYS: '1000000' } });
  try {
    const warmUp = await fuzz(server.url, random, Math.ceil(count / 10));
    const before = memoryOf(server.pid);
    const run = await fuzz(server.url, random, Math.floor(count * 0.9));
    assert.deepEqual([...warmUp.problems, ...run.problems].slice(0, 5), []);
    if (before !== null) assert.ok((memoryOf(server.pid) ?? 0) < before + 256_000_000, 'memory has grown');
    assert.doesNotMatch(server.output, /"level":[56]0/);
    for (const depth of depths)
      assert.ok((run.seen.get(depth) ?? 0) >= Math.floor(count / 5000), `too few ${depth}`);
    assert.ok((run.seen.get('201') ?? 0) > count / 100, 'too few keys were made');

    const ada = await server.signIn();
    const { apiKey, key } = await ada.makeKey({ name: 'afterwards' });
    assert.equal((await call(`${server.url}/v1/verify`, { headers: bearer(apiKey) })).status, 204);
    await ada.revoke(key.id);
    assert.equal((await call(`${server.url}/v1/verify`, { headers: bearer(apiKey) })).status, 401);
  } catch (error) {
    // A server that hangs would not stop by itself.
    await server.kill('SIGKILL');
    throw error;
  } finally {
    await server.stop();
  }
});

async function fuzz(url: string, random: Random, requests: number) {
  const seeds = Array.from({ length: clients }, () => String(random.int(0, 1e9)));
  const printed = await runApart(new URL('fuzz-run.ts', import.meta.url), [url, String(requests), ...seeds]);
  const { seen, problems } = runSchema.parse(JSON.parse(printed));
  return { seen: new Map(Object.entries(seen)), problems };
}

/** Resident bytes of a process, where the system tells them in a file. */
function memoryOf(pid: number): number | null {
  const file = `/proc/${pid}/statm`;
  return existsSync(file) ? Number(readFileSync(file, 'utf8').split(' ')[1]) * 4096 : null;
}
