import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startServer, type TestServer } from '../test/support/server.ts';
import { cores, pinToCores } from './machine.ts';
import { registerProcess, stopProcess } from './processes.ts';
import { nodeFlags } from './start-arguments.ts';

/** A process under load. */
export interface MeasuredProgram extends AsyncDisposable {
  /** Origin with an IP address, so that the load does not depend on name resolution. */
  url: string;
  /** Its processes; a proxy has two. */
  pids: number[];
}

/** Limits are on, and so high that every request passes, because a rejected request would be cheaper. */
const highLimit = '1000000000';

/**
 * Starts the real server on the core for measured processes.
 *
 * @param env additional variables; the limit of addresses is the default, that of keys is on and never reached
 */
export async function startSoku(
  dataDir: string | undefined,
  env: Record<string, string> = {},
): Promise<MeasuredProgram & { server: TestServer }> {
  const server = await startServer({
    nodeArguments: nodeFlags,
    ...(dataDir === undefined ? {} : { dataDir }),
    env: { SOKU_KEY_RATE_LIMIT: highLimit, SOKU_ADDRESS_RATE_LIMIT: undefined, ...env },
  });
  const { pid } = server;
  registerProcess(pid, server.exited());
  pinToCores(pid, cores.measured);
  return {
    server,
    url: server.url.replace('localhost', '127.0.0.1'),
    pids: [pid],
    [Symbol.asyncDispose]: async () => {
      process.kill(pid, 'SIGCONT');
      await server.stop();
    },
  };
}

/**
 * Starts the HTTP yardstick: Node's own server, which returns 200 and two bytes for every request.
 *
 * @param tuned with the one option that makes it faster for requests without a body
 */
export async function startBareServer(tuned = false): Promise<MeasuredProgram> {
  const file = fileURLToPath(new URL('programs/bare-server.ts', import.meta.url));
  const child = spawn(process.execPath, [...nodeFlags, file, ...(tuned ? ['tuned'] : [])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const pid = registerProcess(child.pid, once(child, 'exit'));
  const [port] = await once(createInterface(child.stdout), 'line');
  pinToCores(pid, cores.measured);
  return { url: `http://127.0.0.1:${port}`, pids: [pid], [Symbol.asyncDispose]: () => stopProcess(child) };
}

/**
 * Runs programs alternately, A B A B, so that other activity of the machine affects all of them equally. A
 * program is stopped between its turns, so that its timers do not affect the others.
 *
 * @param turn measures one program; `round` counts from 0
 * @returns for each program, in their order, the results of its turns
 */
export async function runAlternately<C extends Pick<MeasuredProgram, 'pids'>, T>(
  programs: readonly C[],
  rounds: number,
  turn: (program: C, round: number) => Promise<T>,
): Promise<T[][]> {
  const turns = programs.map((program) => ({ program, given: [] as T[] }));
  signal(programs, 'SIGSTOP');
  try {
    for (let round = 0; round < rounds; round++) {
      for (const { program, given } of turns) {
        signal([program], 'SIGCONT');
        given.push(await turn(program, round));
        signal([program], 'SIGSTOP');
      }
    }
  } finally {
    signal(programs, 'SIGCONT');
  }
  return turns.map(({ given }) => given);
}

function signal(programs: readonly Pick<MeasuredProgram, 'pids'>[], name: NodeJS.Signals): void {
  for (const pid of programs.flatMap(({ pids }) => pids)) process.kill(pid, name);
}
