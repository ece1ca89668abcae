import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Everything that is not stopped yet. */
const running = new Set<number>();

// A bench that is stopped must not leave its servers behind, least of all stopped ones.
process.on('exit', () => {
  for (const pid of running) process.kill(pid, 'SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

/**
 * Counts a process among those that never outlive the bench.
 *
 * @param ended settles when it has ended
 */
export function watch(pid: number | undefined, ended: Promise<unknown>): number {
  if (pid === undefined) throw new Error('a process did not start');
  running.add(pid);
  void ended.finally(() => running.delete(pid));
  return pid;
}

/** Ends a process, also one that is stopped. */
export async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGCONT');
  child.kill('SIGTERM');
  await ended;
}
