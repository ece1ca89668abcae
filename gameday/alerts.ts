import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseYaml } from '@redocly/openapi-core';
import { z } from 'zod';
import { root } from '../test/support/server.ts';
import type { ActiveAlert } from './prometheus.ts';

/**
 * By how much the times of the rules are shortened, because the game day cannot last hours. It is the same for all of
 * them, and for the interval of scrapes, so that each window has as many values as in production.
 */
export const speedup = 30;

/** Between two scrapes, and between two evaluations of the rules: 15 s in production. */
export const intervalMs = 15_000 / speedup;

/** How long the last value of a series is used: 5 min in production. */
export const lookbackMs = 300_000 / speedup;

const rulesSchema = z.object({
  groups: z.array(
    z.looseObject({
      interval: z.string(),
      rules: z.array(z.looseObject({ alert: z.string(), expr: z.string(), for: z.string().optional() })),
    }),
  ),
});

const unitMs: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const shorten = (time: string) =>
  `${(Number.parseInt(time, 10) * (unitMs[time.slice(-1)] ?? 0)) / speedup}ms`;

const rules = rulesSchema.parse(parseYaml(readFileSync(join(root, 'deploy/alerts.yaml'), 'utf8')));

/** deploy/alerts.yaml with shorter times. */
export function shortenedRules(): unknown {
  return {
    groups: rules.groups.map((group) => ({
      ...group,
      interval: shorten(group.interval),
      rules: group.rules.map((rule) => ({
        ...rule,
        expr: rule.expr.replaceAll(/\[(\d+[smhd])\]/g, (_all, time: string) => `[${shorten(time)}]`),
        ...(rule.for === undefined ? {} : { for: shorten(rule.for) }),
      })),
    })),
  };
}

/** For how long the condition of an alert is met in production before it fires, such as `5m`. */
export function pendingTime(alert: string): string | undefined {
  return rules.groups.flatMap((group) => group.rules).find((rule) => rule.alert === alert)?.for;
}

/** An alert during one fault. Times are ms since the fault began. */
export interface SeenAlert {
  name: string;
  instance: string | undefined;
  summary: string;
  pendingMs: number;
  firingMs: number | undefined;
  isOver: boolean;
}

/** Watches the alerts during one fault. */
export class AlertWatch {
  /** Those that appeared since the fault began. */
  readonly seen = new Map<string, SeenAlert>();
  /** Those that were active when it began. */
  readonly #earlier: ReadonlySet<string>;
  readonly #startedAt = performance.now();
  readonly #onFiring: (alert: SeenAlert) => void;

  constructor(active: readonly ActiveAlert[], onFiring: (alert: SeenAlert) => void) {
    this.#earlier = new Set(active.map(idOf));
    this.#onFiring = onFiring;
  }

  update(active: readonly ActiveAlert[]): void {
    const ms = performance.now() - this.#startedAt;
    const ids = new Set(active.map(idOf));
    for (const [id, alert] of this.seen) alert.isOver = !ids.has(id);
    for (const alert of active) {
      const id = idOf(alert);
      if (this.#earlier.has(id)) continue;
      const { name, instance, summary } = alert;
      const seen = this.seen.get(id) ?? {
        name,
        instance,
        summary,
        pendingMs: ms,
        firingMs: undefined,
        isOver: false,
      };
      this.seen.set(id, seen);
      seen.summary = summary;
      if (alert.state !== 'firing' || seen.firingMs !== undefined) continue;
      seen.firingMs = ms;
      this.#onFiring(seen);
    }
  }

  /** Whether each of these alerts was seen in its state, or was active before. */
  hasSeen(expected: Readonly<Record<string, 'pending' | 'firing'>>): boolean {
    return this.missing(expected).length === 0;
  }

  missing(expected: Readonly<Record<string, 'pending' | 'firing'>>): string[] {
    const seen = [...this.seen.values()];
    return Object.entries(expected)
      .filter(([name]) => ![...this.#earlier].some((id) => id.startsWith(`${name} `)))
      .filter(
        ([name, state]) =>
          !seen.some((alert) => alert.name === name && (state === 'pending' || alert.firingMs !== undefined)),
      )
      .map(([name]) => name);
  }

  /** Whether all alerts that appeared are over. */
  get isQuiet(): boolean {
    return [...this.seen.values()].every(({ isOver }) => isOver);
  }
}

function idOf({ name, instance, summary }: ActiveAlert): string {
  // An alert of a server with several kinds, such as SokuWritesFailing, has the kind only in its summary.
  return `${name} ${instance ?? ''} ${/\((.*)\)/.exec(summary)?.[1] ?? ''}`;
}
