import { pendingTime, type SeenAlert } from './alerts.ts';
import type { Fault } from './fault.ts';
import { summarizeLines } from './logs.ts';
import { formatTime } from './progress-printer.ts';
import type { RoundResult } from './round.ts';
import { type Kind, kindTitles, type Tally } from './tally.ts';

/** Log lines of one fault that a report shows. */
const mostLines = 12;

/** A part of the report of a fault, such as what its clients saw. */
export interface ReportPart {
  title: string;
  lines: readonly string[];
}

/** Whether everything was as guaranteed, or as well as it can be on a busy machine. */
export function guaranteesHeld({ broken, unmet, isBusy }: RoundResult): boolean {
  return broken.length === 0 && (unmet.length === 0 || isBusy);
}

export function reportOf(result: RoundResult): ReportPart[] {
  const { fault, tally, alerts, lines, notes } = result;
  const parts = [
    { title: 'Expected', lines: [fault.expected] },
    { title: 'Clients saw', lines: [...clientLines(tally), ...notes] },
    {
      title: 'Revoked keys',
      lines: [`accepted after their revoke had returned: ${tally.acceptedAfterRevoke}`, checkLine(tally)],
    },
    { title: 'Alerts', lines: alertLines(fault, alerts) },
    { title: 'Log', lines: logLines(lines) },
    { title: 'Duration', lines: [durations(result)] },
  ];
  const problems = problemLines(result);
  return problems.length === 0 ? parts : [...parts, { title: 'Problems', lines: problems }];
}

/** The columns of a row of the summary. */
export const summaryTitles = ['fault', 'clients saw', 'alerts', 'recovered after', 'guarantees held'];

export function summaryRow(result: RoundResult): string[] {
  const { fault, tally, alerts, wellAfterMs } = result;
  return [
    fault.name,
    clientSummary(tally),
    alertSummary(fault, alerts),
    wellAfterMs === undefined ? 'never' : formatTime(wellAfterMs),
    guaranteeCell(result),
  ];
}

function guaranteeCell(result: RoundResult): string {
  if (!guaranteesHeld(result)) return 'NO';
  return result.unmet.length === 0 ? 'yes' : 'yes (busy machine)';
}

function problemLines({ broken, unmet, isBusy }: RoundResult): string[] {
  // Thousands of keys may violate the same guarantee.
  const counts = new Map<string, number>();
  for (const text of broken) {
    const kind = text.replace(/\d+ ms/, 'some ms');
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const lines = Array.from(counts, ([text, count]) => `VIOLATED, ${formatTimes(count)}: ${text}`);
  const reason = isBusy ? ' (this machine was too busy to know whether Soku is the cause)' : '';
  return [...lines, ...unmet.map((text) => `not as expected: ${text}${reason}`)];
}

/** The expected alerts, and the others that fired. */
function alertSummary(fault: Fault, alerts: readonly SeenAlert[]): string {
  const [fired, pending] = namesByState(alerts);
  const expected = Object.keys(fault.alerts).flatMap((name) => {
    if (fired.includes(name)) return name;
    return pending.includes(name) ? `${name} (pending)` : [];
  });
  const others = fired.filter((name) => !(name in fault.alerts));
  const more =
    others.length > 2 ? [`${others.length} ${expected.length === 0 ? 'alerts' : 'others'}`] : others;
  return [...expected, ...more].join(', ') || 'none';
}

/** The names of the alerts that fired, and of those that were only pending. */
function namesByState(alerts: readonly SeenAlert[]): [fired: string[], pending: string[]] {
  const fired = new Set(alerts.filter(({ firingMs }) => firingMs !== undefined).map(({ name }) => name));
  const pending = new Set(alerts.map(({ name }) => name).filter((name) => !fired.has(name)));
  return [[...fired], [...pending]];
}

/** Requests that failed, as a share, and the longest wait. */
function clientSummary(tally: Tally): string {
  const kinds = clientKinds(tally);
  const total = kinds.reduce((sum, kind) => sum + tally.count(kind), 0);
  const longest = Math.max(0, ...kinds.map((kind) => tally.longestMs.get(kind) ?? 0));
  const failures = tally.failures === 1 ? 'failure' : 'failures';
  return `${tally.failures === 0 ? 'no' : format(tally.failures)} ${failures} in ${format(total)} requests, longest ${formatTime(longest)}`;
}

function clientLines(tally: Tally): string[] {
  return clientKinds(tally).map((kind) => {
    const longest = formatTime(tally.longestMs.get(kind) ?? 0);
    return `${kindTitles[kind]}: ${outcomesOf(tally, kind)}; longest wait ${longest}`;
  });
}

function clientKinds({ outcomes }: Tally): Kind[] {
  const kinds: Kind[] = ['valid key', 'revoked key', 'wrong key', 'create', 'revoke'];
  return kinds.filter((kind) => outcomes.has(kind));
}

function checkLine(tally: Tally): string {
  return `${kindTitles.check}: ${outcomesOf(tally, 'check')}`;
}

/** `1,204 x 204, 3 x no response`, the most frequent first. */
function outcomesOf({ outcomes }: Tally, kind: Kind): string {
  const counts = [...(outcomes.get(kind) ?? [])].sort(([, a], [, b]) => b - a);
  return counts.map(([outcome, count]) => `${format(count)} x ${outcome}`).join(', ') || 'none';
}

/** A line for each alert that fired or was expected. Others that were only pending are in one line. */
function alertLines(fault: Fault, alerts: readonly SeenAlert[]): string[] {
  const [fired, pending] = namesByState(alerts);
  const expected = pending.filter((name) => name in fault.alerts);
  const others = pending.filter((name) => !(name in fault.alerts));
  const lines = [...fired, ...expected].map((name) =>
    alertLine(alerts.filter((alert) => alert.name === name)),
  );
  const more = others.length === 0 ? [] : [`pending for a moment: ${others.join(', ')}`];
  return lines.length + more.length === 0 ? ['none'] : [...lines, ...more];
}

/** @param alerts of one name */
function alertLine(alerts: readonly SeenAlert[]): string {
  const first = alerts.find(({ firingMs }) => firingMs !== undefined) ?? alerts[0];
  if (first === undefined) throw new Error('there is no alert');
  const { name, firingMs, summary } = first;
  const time = pendingTime(name);
  if (firingMs === undefined) return `${name} was pending, and fires if this lasts ${time}: "${summary}"`;
  const production = time === undefined ? 'as in production' : `in production if it lasts ${time}`;
  return `${name} fired after ${formatTime(firingMs)} (${production}): "${summary}"`;
}

function logLines(lines: RoundResult['lines']): string[] {
  const all = summarizeLines(lines);
  if (all.length === 0) return ['nothing'];
  return all.length <= mostLines
    ? all
    : [...all.slice(0, mostLines), `and ${all.length - mostLines} other lines`];
}

function durations({ brokenMs, wellAfterMs }: RoundResult): string {
  const well =
    wellAfterMs === undefined ? 'it did not recover' : `recovered ${formatTime(wellAfterMs)} later`;
  return `broken for ${formatTime(brokenMs)}, ${well}`;
}

function formatTimes(count: number): string {
  return count === 1 ? 'once' : `${format(count)} times`;
}

function format(count: number): string {
  return count.toLocaleString('en');
}
