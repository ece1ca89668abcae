/**
 * Breaks one thing after another in a deployment like that of deploy/compose.postgres.yaml, so that an operator can
 * watch the guarantees of docs/operations/failures.md before trusting them.
 */
import { parseArgs } from 'node:util';
import { machine } from '../bench/machine.ts';
import { killServers } from '../test/support/server.ts';
import { speedup } from './alerts.ts';
import type { Fault } from './fault.ts';
import { allFaults } from './faults.ts';
import { GameDay, MissingProgramError } from './game-day.ts';
import { LogReader } from './logs.ts';
import { writeGameDay } from './page.ts';
import { ProgressPrinter, styled } from './progress-printer.ts';
import { guaranteesHeld, reportOf, summaryRow, summaryTitles } from './report.ts';
import { Round, type RoundResult } from './round.ts';

/** Seconds after which no other fault begins, so that the whole run takes at most five minutes. */
const lastStart = 260;

/** EX_USAGE and EX_UNAVAILABLE of sysexits.h; and the code of a process that SIGINT ended. */
const exitCodes = { usage: 64, unavailable: 69, interrupted: 130 };

const help = `npm run gameday -- [--only NAME ...] [--write]

Starts three nodes, PostgreSQL, HAProxy and Prometheus on this machine, sends requests, and breaks one thing after the
other. Shows what clients, alerts and logs report, and whether every guarantee held. Takes at most five minutes.

  --only NAME   break only this; can be repeated
  --list        list what can be broken
  --write       write docs/operations/gameday.md after a run of everything
  --help        show this text

Exit codes: 0 every guarantee held, 1 a guarantee was violated, ${exitCodes.usage} wrong usage, ${exitCodes.unavailable} a program is missing, ${exitCodes.interrupted} interrupted.
`;

const commentary = new ProgressPrinter();

await main();

async function main(): Promise<void> {
  const options = readOptions();
  if (options === undefined) return;
  if (options.help) return console.log(help);
  if (options.list)
    return console.log(allFaults.map(({ name, title }) => `${name.padEnd(20)}${title}`).join('\n'));
  const unknown = options.only?.find((only) => !allFaults.some(({ name }) => name === only));
  if (unknown !== undefined)
    return fail(
      `There is no ${unknown}. npm run gameday -- --list shows what can be broken.`,
      exitCodes.usage,
    );
  const chosen = allFaults.filter(({ name }) => options.only?.includes(name) ?? true);
  const results = await run(chosen);
  if (results.length === 0) return;
  printSummary(results, chosen);
  if (options.write && results.length === allFaults.length) writeGameDay(results, commentary.seconds);
  if (!results.every(guaranteesHeld)) process.exitCode = 1;
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        only: { type: 'string', multiple: true },
        list: { type: 'boolean' },
        write: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    fail(`${error instanceof Error ? error.message : error}\n\n${help}`, exitCodes.usage);
    return undefined;
  }
}

/** @returns the results; fewer if there was no time, and none after an interruption */
async function run(faults: readonly Fault[]): Promise<RoundResult[]> {
  const interruption = interruptible();
  commentary.print(`Soku game day, on ${machine}`);
  commentary.print(
    `The times of alerts are divided by ${speedup}: what takes 1 minute in production takes ${60 / speedup} seconds here.\n`,
  );
  try {
    await using day = await GameDay.start((text) => commentary.say(text), interruption);
    const results = await breakEverything(day, faults, interruption);
    commentary.say('stopping everything');
    return results;
  } catch (error) {
    if (interruption.aborted) {
      fail('Interrupted. Everything was stopped and removed.', exitCodes.interrupted);
      return [];
    }
    if (!(error instanceof MissingProgramError)) throw error;
    fail(error.message, exitCodes.unavailable);
    return [];
  }
}

async function breakEverything(
  day: GameDay,
  faults: readonly Fault[],
  signal: AbortSignal,
): Promise<RoundResult[]> {
  const logs = new LogReader(day);
  // What they logged at their start belongs to no fault.
  logs.next();
  const results: RoundResult[] = [];
  for (const fault of faults) {
    if (commentary.seconds > lastStart) return results;
    commentary.print();
    commentary.say(`${fault.name}: ${fault.title}`, 'bold');
    const result = await Round.run(fault, { day, commentary, logs, signal });
    results.push(result);
    printReport(result);
  }
  return results;
}

/** The first signal stops everything in order; the second one at once. */
function interruptible(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(exitCodes.interrupted);
      commentary.say('interrupted: stopping everything');
      controller.abort();
    });
  }
  process.on('exit', killServers);
  return controller.signal;
}

function printReport(result: RoundResult): void {
  for (const { title, lines } of reportOf(result)) {
    const isProblem = title === 'Problems';
    commentary.print(`       ${styled(isProblem ? 'red' : 'bold', title)}`);
    for (const line of lines) commentary.print(`         ${line}`);
  }
}

function printSummary(results: readonly RoundResult[], chosen: readonly Fault[]): void {
  const rows = [summaryTitles, ...results.map(summaryRow)];
  const widths = summaryTitles.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  commentary.print();
  for (const row of rows)
    commentary.print(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  const skipped = chosen.slice(results.length);
  if (skipped.length > 0)
    commentary.print(
      `\nNot run, because five minutes were over: ${skipped.map(({ name }) => name).join(', ')}.`,
    );
  const broken = results.filter((result) => !guaranteesHeld(result));
  const accepted = results.reduce((sum, { tally }) => sum + tally.acceptedAfterRevoke, 0);
  const conclusion =
    broken.length === 0
      ? `Every guarantee held in ${Math.round(commentary.seconds)} s.`
      : `VIOLATED: ${broken.map(({ fault }) => fault.name).join(', ')}. See Problems above.`;
  commentary.print(
    `\nRevoked keys that were accepted: ${accepted}. ${styled(broken.length === 0 ? 'green' : 'red', conclusion)}`,
  );
}

function fail(message: string, code: number): void {
  console.error(message);
  process.exitCode = code;
}
