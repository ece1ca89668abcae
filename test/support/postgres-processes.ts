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

/** Stops a server and all its processes (SIGSTOP), and returns when none of them is running. */
export async function freeze(postmaster: number): Promise<void> {
  // Repeat until all are stopped: a process may have been created while the list was read.
  for (;;) {
    const running = family(postmaster).filter(({ state }) => !stopped.has(state));
    if (running.length === 0) return;
    for (const { pid } of running) signal(pid, 'SIGSTOP');
    await after(1);
  }
}

export function unfreeze(postmaster: number): void {
  for (const { pid } of family(postmaster)) signal(pid, 'SIGCONT');
}

/** Kills a server and all its processes (SIGKILL), and returns when all have ended. */
export async function killAll(postmaster: number): Promise<void> {
  await freeze(postmaster);
  // Keep the ids of the children, because they lose their parent if it ends first.
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

/** @returns undefined for a process that has ended */
function inspect(pid: number): Process | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in parentheses may itself contain parentheses and spaces.
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
    // The process has ended in the meantime.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
