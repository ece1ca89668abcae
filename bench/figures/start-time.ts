import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { get } from 'node:http';
import { fileURLToPath } from 'node:url';
import { freePort, newDataDir } from '../test/support/server.ts';
import type { Figure } from './figure.ts';
import { startArguments } from './start-arguments.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const runs = 7;

/** From the start of the process to its first answer, on a data directory that exists; and the same through npm. */
export async function startTime(): Promise<Figure[]> {
  const dataDir = newDataDir();
  try {
    const own = startArguments();
    await timeStart(process.execPath, own, dataDir);
    const direct: number[] = [];
    const throughNpm: number[] = [];
    for (let i = 0; i < runs; i++) {
      direct.push(await timeStart(process.execPath, own, dataDir));
      throughNpm.push(await timeStart('npm', ['start', '--silent'], dataDir));
    }
    return [
      {
        name: 'start to first answer',
        values: direct,
        unit: 'ms',
        goal: 'under 1000',
        how: 'The server process of a built checkout, asked for /healthz every 2 ms until it answers.',
      },
      {
        name: 'npm start to first answer',
        values: throughNpm,
        unit: 'ms',
        goal: 'under 1000',
        how: 'The same through npm start, which looks whether anything has to be installed or built.',
      },
    ];
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function timeStart(command: string, args: string[], dataDir: string): Promise<number> {
  const port = await freePort();
  const began = performance.now();
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, PORT: String(port), SOKU_DATA_DIR: dataDir, LOG_LEVEL: 'silent' },
    stdio: 'ignore',
    detached: true,
  });
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
  }
  const took = performance.now() - began;
  await end(child);
  return took;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/healthz', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('error', () => setTimeout(resolve, 2, false));
  });
}

/** Ends the process with its children: npm starts the server through a shell. */
async function end(child: ChildProcess): Promise<void> {
  if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
  await once(child, 'exit');
}
