import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { runCount } from '../support/run-count.ts';
import { runInOwnProcess } from '../support/run-in-own-process.ts';
import { mutations } from './mutations.ts';

const foundSchema = z.array(z.object({ seed: z.number(), violation: z.string() }).nullable());

/** Enough schedules to expose every mutation: see the seeds in mutations.ts. A seed always gives the same schedule. */
const enough = 3000;
/** Fewer of them, because the unchanged protocol also runs in the schedules that are known to expose a mutation. */
const usual = 250;

const first = Number(process.env.SOKU_SIMULATION_SEED ?? 1);
const count = Number(
  process.env.SOKU_SIMULATION_SEEDS ?? (process.env.SOKU_SIMULATION_SEED ? 1 : runCount(usual, 20_000)),
);

test(`no key is accepted after its revoke has returned, in ${count} schedules`, async () => {
  const [found] = await explore(first, count);
  const command = `SOKU_SIMULATION_SEED=${found?.seed} node --test ${import.meta.filename}`;
  assert.equal(found, null, `${found?.violation}; to reproduce: ${command}`);
});

/** @returns the first violation for each named mutation, or for the unchanged protocol */
async function explore(seed: number, schedules: number, names: readonly string[] = []) {
  const args = [String(seed), String(schedules), ...names];
  return foundSchema.parse(JSON.parse(await runInOwnProcess(new URL('run.ts', import.meta.url), args)));
}

test('if any one of these rules is disabled, some schedule accepts a revoked key', async (t) => {
  const names = mutations.map(({ name }) => name);
  const all = await explore(1, enough, names);
  for (const [i, name] of names.entries()) {
    await t.test(name, () => {
      const violation = all[i]?.violation ?? 'no violation found';
      assert.match(violation, / accepted [abc] after a revoke had returned$/);
    });
  }
});
