import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Processes that have not ended. */
const running = new Set<number>();

// A bench that is interrupted must not leave its servers behind, in particular not stopped ones.
process.on('exit', () => {
  for (const pid of running) process.kill(pid, 'SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

/**
 * Registers a process that must not outlive the bench.
 *
 * @param ended settles when it has ended
 */
export function registerProcess(pid: number | undefined, ended: Promise<unknown>): number {
  if (pid === undefined) throw new Error('a process did not start');
  running.add(pid);
  void ended.finally(() => running.delete(pid));
  return pid;
}

/** Ends a process, even if it is stopped. */
export async function stopProcess(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGCONT');
  child.kill('SIGTERM');
  await ended;
}
