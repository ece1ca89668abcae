import { readdirSync, readFileSync } from 'node:fs';

/** Length of a tick in /proc/PID/stat (USER_HZ, 100 on every Linux), in us. */
const tick = 10_000;

/** Resident memory of a process in bytes (VmRSS). */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

/** CPU time of processes since they started, in us, in steps of a tick. */
export function cpuTimeUs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    // The second field, the name, can contain spaces. utime and stime are fields 14 and 15 (man 5 proc).
    const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ', 2);
    const fields = rest.split(' ').map(Number);
    return sum + ((fields[11] ?? Number.NaN) + (fields[12] ?? Number.NaN)) * tick;
  }, 0);
}

/** CPU time of all children that have ended, and of their children, in ms: fields 16 and 17 (man 5 proc). */
export function childrenCpuTimeMs(): number {
  const [, rest = ''] = readFileSync('/proc/self/stat', 'utf8').split(') ', 2);
  const fields = rest.split(' ').map(Number);
  return (((fields[13] ?? Number.NaN) + (fields[14] ?? Number.NaN)) * tick) / 1000;
}

/** CPU time that all threads of a process use meanwhile, in ms. */
export async function cpuMsDuring(pid: number, work: () => Promise<unknown>): Promise<number> {
  const before = preciseCpuTimeMs(pid);
  await work();
  return preciseCpuTimeMs(pid) - before;
}

/** CPU time of the running threads of a process in ms, without steps. The first field of schedstat is in ns. */
export function preciseCpuTimeMs(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, task) => {
    const [ns = ''] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ');
    return sum + Number(ns) / 1e6;
  }, 0);
}

/** CPU time in ms of a process and of its running children, as a server of PostgreSQL has them. */
export function cpuTimeWithChildrenMs(pid: number): number {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
  return [pid, ...children].reduce((sum, one) => sum + preciseCpuTimeMs(one), 0);
}
