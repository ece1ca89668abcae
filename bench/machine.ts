import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { debianProgram, type Program } from '../test/support/debian.ts';

/** The machine in words, for the board. */
export const machine = `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`;

/** What is measured has one core, what loads it another one, so that neither takes the other's time. */
export const cores = { measured: 0, load: 1 };

/** For what is bound to neither. */
export const everyCore = `${cores.measured},${cores.load}`;

/** A figure cannot be measured on this machine. */
export class NotHere extends Error {}

/** @throws {NotHere} when the program is not on this machine, and cannot be had */
export function program(name: 'wrk' | 'nginx'): Program {
  const found = debianProgram(name);
  if (typeof found === 'string') throw new NotHere(found);
  return found;
}

/** @throws {NotHere} on a machine with one core, or on one that cannot bind a process to a core */
export function needCores(): void {
  if (availableParallelism() < 2) throw new NotHere('this takes two cores, one for the load');
  if (spawnSync('taskset', ['--version']).status !== 0)
    throw new NotHere('taskset is not installed (util-linux)');
}

/** Binds a process with all its threads to a core, or to some (`0,1`). */
export function pin(pid: number, core: number | string): void {
  const { status, stderr } = spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`process ${pid} could not be bound to core ${core}: ${stderr}`);
}
