import type { Counter, Gauge } from 'prom-client';

/** Sets the values of a metric with one label to numbers that were counted elsewhere. */
export function setMetricValues(
  metric: Counter | Gauge,
  label: string,
  counts: Record<string, number>,
): void {
  metric.reset();
  for (const [value, count] of Object.entries(counts)) metric.inc({ [label]: value }, count);
}
