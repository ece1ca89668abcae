import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { runApart } from '../../../../../test/support/run-apart.ts';
import type { Found } from './explore.ts';
import { mutations } from './mutations.ts';

const foundSchema = z.object({ seed: z.number(), violation: z.string() }).nullable();

const first = Number(process.env.SOKU_SIMULATION_SEED ?? 1);
const count = Number(process.env.SOKU_SIMULATION_SEEDS ?? (process.env.SOKU_SIMULATION_SEED ? 1 : 20_000));

/** Most schedules that a mistake in the protocol may go unnoticed in. */
const mostSeeds = 6000;

test(`no key is accepted after its revoke has returned, in ${count} schedules`, async () => {
  const found = await explore(String(first), String(count));
  const again = `SOKU_SIMULATION_SEED=${found?.seed} node --test ${import.meta.filename}`;
  assert.equal(found, undefined, `${found?.violation}; to see it again: ${again}`);
});

async function explore(...args: string[]): Promise<Found | undefined> {
  const printed = await runApart(new URL('run.ts', import.meta.url), args);
  return foundSchema.parse(JSON.parse(printed)) ?? undefined;
}

for (const mutation of mutations) {
  test(`it is found out when this is left out: ${mutation.name}`, async () => {
    const found = await explore('1', String(mostSeeds), mutation.name);
    assert.match(found?.violation ?? 'nothing was found', / accepted [abc] after a revoke had returned$/);
  });
}
