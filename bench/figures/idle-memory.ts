import { readFileSync } from 'node:fs';
import { startServer } from '../test/support/server.ts';
import type { Figure } from './figure.ts';
import { startArguments } from './start-arguments.ts';

const settleMs = 3000;
const runs = 3;

/** Resident memory of a server that was started as npm start does it, has answered once, and then had no work. */
export async function idleMemory(): Promise<Figure[]> {
  const values: number[] = [];
  for (let i = 0; i < runs; i++) {
    const server = await startServer({
      nodeArguments: startArguments().filter((word) => word.startsWith('--')),
    });
    await fetch(`${server.url}/readyz`);
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1];
    values.push((Number(kilobytes) * 1024) / 1e6);
    await server.stop();
  }
  return [
    {
      name: 'idle memory',
      values,
      unit: 'MB',
      goal: 'under 150',
      how: `VmRSS of the server ${settleMs / 1000} s after its first answer.`,
    },
  ];
}
