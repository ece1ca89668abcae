import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { cores } from './machine.ts';
import { registerProcess } from './processes.ts';
import { nodeFlags } from './start-arguments.ts';

/** Runs a program in programs/ on a core, by default that for measured processes, and returns the number it prints. */
export async function runProgram(
  program: string,
  args: readonly (string | number)[],
  core: number = cores.measured,
): Promise<number> {
  const file = fileURLToPath(new URL(`programs/${program}`, import.meta.url));
  const command = ['-c', String(core), process.execPath, ...nodeFlags, file, ...args.map(String)];
  const child = spawn('taskset', command, { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  registerProcess(child.pid, closed);
  const printed = await text(child.stdout);
  await closed;
  const number = Number.parseFloat(printed);
  if (child.exitCode !== 0 || Number.isNaN(number))
    throw new Error(`${program} ended with ${child.exitCode}: ${printed}`);
  return number;
}

/**
 * Runs programs alternately, A B A B, each in a new process.
 *
 * @returns for each program, in their order, the number of each round
 */
export async function runProgramsAlternately(
  rounds: number,
  programs: readonly [program: string, args: readonly (string | number)[]][],
): Promise<number[][]> {
  const numbers: number[][] = programs.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, [program, args]] of programs.entries()) numbers[i]?.push(await runProgram(program, args));
  }
  return numbers;
}
