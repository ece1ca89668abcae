import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { debianProgram, type Program } from '../test/support/debian.ts';

/** A description of the machine. */
export const machine = `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`;

/** The measured process and the load generator each have a core, so that neither slows the other down. */
export const cores = { measured: 0, load: 1 };

/** For processes that are bound to neither. */
export const allCores = `${cores.measured},${cores.load}`;

/** Thrown when a figure cannot be measured on this machine. */
export class UnsupportedMachineError extends Error {}

/** @throws {UnsupportedMachineError} if the program is missing and cannot be downloaded */
export function requireProgram(name: 'wrk' | 'nginx'): Program {
  const found = debianProgram(name);
  if (typeof found === 'string') throw new UnsupportedMachineError(found);
  return found;
}

/** @throws {UnsupportedMachineError} on a machine with one core, or without a way to bind a process to a core */
export function requireCores(): void {
  if (availableParallelism() < 2) throw new UnsupportedMachineError('this needs two cores, one for the load');
  if (spawnSync('taskset', ['--version']).status !== 0)
    throw new UnsupportedMachineError('taskset is not installed (util-linux)');
}

/** Binds a process with all its threads to a core, or to several (`0,1`). */
export function pinToCores(pid: number, core: number | string): void {
  const { status, stderr } = spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`process ${pid} could not be bound to core ${core}: ${stderr}`);
}
