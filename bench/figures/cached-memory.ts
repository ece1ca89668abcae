import { setTimeout as pause } from 'node:timers/promises';
import { abbreviateCount, type Figure, type Sizes } from '../figure.ts';
import { keyAt, spreadEvenly } from '../keys.ts';
import { requireCores } from '../machine.ts';
import { startSoku } from '../measured-programs.ts';
import { residentBytes } from '../process-usage.ts';
import { seededDataDir } from '../seeded.ts';
import { verifyEach } from '../verify-each.ts';

const runs = 3;

/** Longer than the time between two flushes of usage (60 s), so that the memory of a flush is included. */
const settleMs = 75_000;

/** How long the memory of a server grows after its start. */
const startMs = 3000;

/** Resident memory of a server that has cached every key of a large database, after one verification of each. */
export async function measureCachedMemory(sizes: Sizes): Promise<Figure[]> {
  requireCores();
  const { keysInMemory } = sizes;
  const dataDir = await seededDataDir(keysInMemory);
  const keys = spreadEvenly(keysInMemory, keysInMemory).map(keyAt);
  const whole: number[] = [];
  const each: number[] = [];
  for (let run = 0; run < runs; run++) {
    await using soku = await startSoku(dataDir);
    const { pid } = soku.server;
    await fetch(`${soku.url}/readyz`);
    await pause(startMs);
    const before = residentBytes(pid);
    await verifyEach(soku.url, keys.values());
    await pause(settleMs);
    const after = residentBytes(pid);
    whole.push(after / 1e6);
    each.push((after - before) / keysInMemory);
  }
  return [
    {
      name: `memory with ${abbreviateCount(keysInMemory)} cached keys`,
      values: whole,
      unit: 'MB',
      how: `VmRSS ${settleMs / 1000} s after one verification over HTTP of each of ${abbreviateCount(keysInMemory)} keys. It includes the cached keys, their limits of the current minute, and their usage.`,
    },
    {
      name: 'memory per cached key',
      values: each,
      unit: 'bytes',
      goal: { below: 160 },
      how: 'The memory above minus the idle memory, divided by the number of keys.',
    },
  ];
}
