import { setImmediate } from 'node:timers/promises';
import type { Mutation } from './mutation.ts';
import { Simulation } from './simulation.ts';

/** Number of interleaved schedules: waiting until all promises have run costs as much as an event or two. */
const batchSize = 10;

export interface FoundViolation {
  seed: number;
  violation: string;
}

/** Runs the schedules of some seeds until one violates the guarantee. */
export async function explore(
  seeds: readonly number[],
  mutation?: Mutation,
): Promise<FoundViolation | undefined> {
  for (let batchStart = 0; batchStart < seeds.length; batchStart += batchSize) {
    const all = seeds
      .slice(batchStart, batchStart + batchSize)
      .map((seed) => ({ seed, simulation: new Simulation(seed, mutation) }));
    await setImmediate();
    let running = all;
    while (running.length > 0) {
      running = running.filter(({ simulation }) => simulation.step());
      await setImmediate();
    }
    for (const { seed, simulation } of all) {
      const { violation } = simulation.checker;
      if (violation !== undefined) return { seed, violation };
    }
  }
  return undefined;
}
