import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { get } from 'node:http';
import { fileURLToPath } from 'node:url';
import { freePort, newDataDir } from '../../test/support/server.ts';
import { abbreviateCount, type Figure, type Sizes } from '../figure.ts';
import { seededDataDir } from '../seeded.ts';
import { startArguments } from '../start-arguments.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const runs = 7;

/** From the start of the process to its first response: on a small database, on a very large one, and through npm. */
export async function measureStartTime({ tables }: Sizes): Promise<Figure[]> {
  const small = newDataDir();
  const [, , most] = tables;
  const large = await seededDataDir(most);
  try {
    const own = startArguments();
    const ways = {
      direct: () => timeStart(process.execPath, own, small),
      large: () => timeStart(process.execPath, own, large),
      throughNpm: () => timeStart('npm', ['start', '--silent'], small),
    };
    const took: Record<keyof typeof ways, number[]> = { direct: [], large: [], throughNpm: [] };
    // The first start of each creates or migrates what is missing.
    for (const way of Object.values(ways)) await way();
    for (let i = 0; i < runs; i++) {
      took.direct.push(await ways.direct());
      took.large.push(await ways.large());
      took.throughNpm.push(await ways.throughNpm());
    }
    const method = 'The server process of a built checkout; /healthz is called every 2 ms until it responds';
    const common = { unit: 'ms', goal: { below: 1000 } };
    return [
      {
        name: 'start to first response',
        values: took.direct,
        unit: 'ms',
        goal: { below: 370 },
        how: `${method}.`,
      },
      {
        name: `start to first response, ${abbreviateCount(most)} keys`,
        values: took.large,
        ...common,
        how: `${method}; the database is in the system's cache.`,
      },
      {
        name: 'npm start to first response',
        values: took.throughNpm,
        ...common,
        how: 'As above, but started with npm start, which checks whether anything has to be installed or built.',
      },
    ];
  } finally {
    rmSync(small, { recursive: true, force: true });
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
  while (!(await responds(port))) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
  }
  const took = performance.now() - began;
  await end(child);
  return took;
}

function responds(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/healthz', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('error', () => setTimeout(resolve, 2, false));
  });
}

/** Ends the process with its children, because npm starts the server through a shell. */
async function end(child: ChildProcess): Promise<void> {
  if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
  await once(child, 'exit');
}
