import { readFileSync } from 'node:fs';

/** Length of a tick in /proc/PID/stat (USER_HZ, 100 on every Linux), in us. */
const tick = 10_000;

/** Resident memory of a process in bytes (VmRSS). */
export function residentMemory(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

/** CPU time of processes since they started, in us, in steps of a tick. */
export function cpuTime(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    // The second field, the name, can contain spaces. utime and stime are fields 14 and 15 (man 5 proc).
    const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ', 2);
    const fields = rest.split(' ').map(Number);
    return sum + ((fields[11] ?? Number.NaN) + (fields[12] ?? Number.NaN)) * tick;
  }, 0);
}
