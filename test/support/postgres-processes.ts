import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as after } from 'node:timers/promises';

/** States of /proc/PID/stat (proc_pid_stat(5)). */
const stopped = new Set(['T', 'Z', 'X']);
const gone = new Set(['Z', 'X']);

interface Process {
  pid: number;
  parent: number;
  state: string;
}

/** Stops a server and all its processes in the middle of whatever they do, and returns once none of them runs. */
export async function freeze(postmaster: number): Promise<void> {
  // Again until all stand still: one may have been made while the list was read.
  for (;;) {
    const running = family(postmaster).filter(({ state }) => !stopped.has(state));
    if (running.length === 0) return;
    for (const { pid } of running) signal(pid, 'SIGSTOP');
    await after(1);
  }
}

export function thaw(postmaster: number): void {
  for (const { pid } of family(postmaster)) signal(pid, 'SIGCONT');
}

/** Kills a server and all its processes, none of which gets to say goodbye, and returns once all are gone. */
export async function killAll(postmaster: number): Promise<void> {
  await freeze(postmaster);
  // The children by their own ids: they lose their parent when it dies first.
  let left = family(postmaster).map(({ pid }) => pid);
  for (const pid of left) signal(pid, 'SIGKILL');
  while (left.length > 0) {
    await after(1);
    left = left.filter((pid) => {
      const state = inspect(pid)?.state;
      return state !== undefined && !gone.has(state);
    });
  }
}

function family(postmaster: number): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => inspect(Number(name)) ?? [])
    .filter(({ pid, parent }) => pid === postmaster || parent === postmaster);
}

/** Nothing for a process that has ended. */
function inspect(pid: number): Process | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in brackets may itself have brackets and spaces.
    const [state, parent] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return state === undefined ? undefined : { pid, parent: Number(parent), state };
  } catch {
    return undefined;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It has ended in between.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
