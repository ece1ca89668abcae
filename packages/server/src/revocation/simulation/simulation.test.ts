import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explore } from './explore.ts';
import { mutations } from './mutations.ts';

const first = Number(process.env.SOKU_SIMULATION_SEED ?? 1);
const count = Number(process.env.SOKU_SIMULATION_SEEDS ?? (process.env.SOKU_SIMULATION_SEED ? 1 : 20_000));

/** Most schedules that a mistake in the protocol may go unnoticed in. */
const mostSeeds = 3000;

test(`no key is accepted after its revoke has returned, in ${count} schedules`, async () => {
  const found = await explore(first, count);
  const again = `SOKU_SIMULATION_SEED=${found?.seed} node --test ${import.meta.filename}`;
  assert.equal(found, undefined, `${found?.violation}; to see it again: ${again}`);
});

for (const mutation of mutations) {
  test(`it is found out when this is left out: ${mutation.name}`, async () => {
    const found = await explore(1, mostSeeds, mutation);
    assert.match(found?.violation ?? 'nothing was found', / accepted [abc] after a revoke had returned$/);
  });
}
