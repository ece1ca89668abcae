import { setTimeout as pause } from 'node:timers/promises';
import { startServer } from '../../test/support/server.ts';
import type { Figure } from '../figure.ts';
import { residentBytes } from '../process-usage.ts';
import { nodeFlags } from '../start-arguments.ts';

/** V8 collects garbage on its own once a process has been idle for some seconds. */
const settleMs = 30_000;
const runs = 3;

/** Resident memory of a server that was started like npm start, has responded once, and is idle. */
export async function measureIdleMemory(): Promise<Figure[]> {
  const values: number[] = [];
  for (let i = 0; i < runs; i++) {
    const server = await startServer({ nodeArguments: nodeFlags });
    await fetch(`${server.url}/readyz`);
    await pause(settleMs);
    values.push(residentBytes(server.pid) / 1e6);
    await server.stop();
  }
  return [
    {
      name: 'idle memory',
      values,
      unit: 'MB',
      goal: { below: 130 },
      how: `VmRSS of the server ${settleMs / 1000} s after its first response.`,
    },
  ];
}
