import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as after } from 'node:timers/promises';
import { AlertWatch, pendingTime, type SeenAlert } from './alerts.ts';
import type { Fault, StartedFault } from './fault.ts';
import type { GameDay } from './game-day.ts';
import { balancerName, type LogLine, type LogReader } from './logs.ts';
import { formatTime, type ProgressPrinter } from './progress-printer.ts';
import { kindTitles, Tally } from './tally.ts';

/** ms between two looks at the alerts, the logs and the nodes. */
const pollMs = 200;

/** ms by which a fault may last longer than its minimum, so that its alerts are seen. */
const extraMs = 12_000;

/** ms after the end of a fault within which everything must work again: far longer than on an idle machine. */
const wellWithinMs = 30_000;

/** ms for which clients are watched after everything works again. */
const lingerMs = 1000;

/** ms for which the next fault waits for the alerts of this one to end: the windows of most rules, 5 min in production. */
const quietMs = 12_000;

/** ms by which this process may be late. Servers that are that late lose requests and leases whatever is broken. */
const mostLateMs = 300;

/** What happened during one fault. */
export interface RoundResult {
  fault: Fault;
  tally: Tally;
  alerts: readonly SeenAlert[];
  /** Lines of logs, in order. */
  lines: readonly LogLine[];
  /** ms for which it was broken. */
  brokenMs: number;
  /** ms from the end of the fault until everything worked again; undefined: not in time. */
  wellAfterMs: number | undefined;
  notes: readonly string[];
  /** Guarantees that were violated. They hold on any machine. */
  broken: readonly string[];
  /** Expectations that were not met. A machine that is too busy cannot meet all of them. */
  unmet: readonly string[];
  isBusy: boolean;
}

interface RoundOptions {
  day: GameDay;
  commentary: ProgressPrinter;
  logs: LogReader;
  signal: AbortSignal;
}

/** Runs one fault. */
export class Round {
  readonly #fault: Fault;
  readonly #options: RoundOptions;
  readonly #tally: Tally;
  readonly #lines: LogLine[] = [];
  readonly #late = monitorEventLoopDelay();

  private constructor(fault: Fault, options: RoundOptions) {
    this.#fault = fault;
    this.#options = options;
    const { commentary } = options;
    this.#tally = new Tally({
      onFailure: (kind, outcome) => {
        const text = `  clients: the first of the ${kindTitles[kind]} gets ${outcome}`;
        commentary.say(text, fault.mayFail ? 'yellow' : 'red');
      },
      onBroken: (guarantee) => commentary.say(`  VIOLATED: ${guarantee}`, 'red'),
    });
  }

  static async run(fault: Fault, options: RoundOptions): Promise<RoundResult> {
    return new Round(fault, options).#run();
  }

  async #run(): Promise<RoundResult> {
    const { day, commentary } = this.#options;
    const fault = this.#fault;
    const watch = new AlertWatch(await day.prometheus.activeAlerts(), (alert) => this.#sayFiring(alert));
    day.traffic.tally = this.#tally;
    this.#late.enable();
    const startedAt = performance.now();
    const say = (text: string) => commentary.say(`  ${text}`, 'bold');
    const begun = await this.#watching(watch, async () => fault.begin(day, say));
    await this.#until(watch, fault.minMs, () => false);
    await this.#until(watch, extraMs, () => watch.hasSeen(fault.alerts));
    await this.#watching(watch, async () => begun.end?.());
    const endedAt = performance.now();
    const isWell = await this.#until(watch, wellWithinMs, () => this.#isWell(begun));
    const wellAfterMs = isWell ? performance.now() - endedAt : undefined;
    commentary.say(
      isWell
        ? `  recovered ${formatTime(performance.now() - endedAt)} after the end of the fault`
        : '  not well',
      isWell ? 'green' : 'red',
    );
    await this.#until(watch, lingerMs, () => false);
    // Requests from now on belong to no fault.
    day.traffic.tally = new Tally();
    await this.#until(watch, wellWithinMs, () => this.#tally.pending === 0);
    await this.#until(watch, quietMs, () => watch.isQuiet);
    this.#late.disable();
    const alerts = [...watch.seen.values()];
    return {
      fault,
      tally: this.#tally,
      alerts,
      lines: this.#lines,
      brokenMs: endedAt - startedAt,
      wellAfterMs,
      notes: begun.notes?.() ?? [],
      broken: this.#tally.broken,
      unmet: this.#unmet(watch, isWell),
      isBusy: this.#late.max / 1e6 > mostLateMs || alerts.some(({ name }) => name === 'SokuBusy'),
    };
  }

  #unmet(watch: AlertWatch, isWell: boolean): string[] {
    const { alerts, mayFail } = this.#fault;
    const { failures, pending } = this.#tally;
    return [
      ...(isWell ? [] : [`it was not well within ${formatTime(wellWithinMs)}`]),
      ...(pending === 0 ? [] : [`${pending} requests got no response within ${formatTime(wellWithinMs)}`]),
      ...(mayFail || failures === 0 ? [] : [`${failures} requests failed although none should`]),
      ...watch
        .missing(alerts)
        .map((name) => `${name} did not ${alerts[name] === 'firing' ? 'fire' : 'appear'}`),
    ];
  }

  async #isWell(begun: StartedFault): Promise<boolean> {
    return (begun.isOver?.() ?? true) && (await this.#options.day.traffic.isServed());
  }

  #sayFiring({ name, instance, summary }: SeenAlert): void {
    const rule = pendingTime(name);
    const production = rule === undefined ? '' : `; in production after ${rule}`;
    const where = instance === undefined ? '' : ` ${instance}`;
    this.#options.commentary.say(`  alert ${name}${where}: ${summary}${production}`, 'magenta');
  }

  /** Watches while `work` runs. */
  async #watching<T>(watch: AlertWatch, work: () => Promise<T>): Promise<T> {
    let isDone = false;
    const working = work().finally(() => {
      isDone = true;
    });
    // Interrupted by the signal only, or by the end of the work, which is awaited below.
    await this.#until(watch, Number.POSITIVE_INFINITY, () => isDone);
    return working;
  }

  /** @returns whether the condition was met in time */
  async #until(watch: AlertWatch, ms: number, isMet: () => boolean | Promise<boolean>): Promise<boolean> {
    const { day, logs, signal, commentary } = this.#options;
    const deadline = performance.now() + ms;
    for (;;) {
      watch.update(await day.prometheus.activeAlerts());
      for (const line of logs.next()) {
        this.#lines.push(line);
        if (line.source === balancerName) commentary.say(`  ${balancerName}: ${line.text}`, 'cyan');
      }
      if (await isMet()) return true;
      if (performance.now() >= deadline) return false;
      await after(Math.min(pollMs, deadline - performance.now()), undefined, { signal });
    }
  }
}
