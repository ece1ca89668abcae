import type { Counter, Gauge } from 'prom-client';

/** Gives a metric with one label the numbers that were counted elsewhere. */
export function setAll(metric: Counter | Gauge, label: string, counts: Record<string, number>): void {
  metric.reset();
  for (const [value, count] of Object.entries(counts)) metric.inc({ [label]: value }, count);
}
