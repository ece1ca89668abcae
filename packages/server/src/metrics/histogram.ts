interface Histogram {
  name: string;
  help: string;
  /** Upper bounds of the buckets, ms; the last bucket has none. */
  ends: readonly number[];
  /** How many there are in each bucket, without those in the buckets before it. */
  counts: readonly number[];
  sumMs: number;
}

/**
 * A histogram of seconds in Prometheus' text format. Written here, because the library's own histogram takes one
 * observation at a time, and has no way to be given the numbers of buckets that were counted elsewhere.
 */
export function histogramText({ name, help, ends, counts, sumMs }: Histogram): string {
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`];
  let total = 0;
  for (const [i, count] of counts.entries()) {
    total += count;
    const end = ends[i];
    lines.push(`${name}_bucket{le="${end === undefined ? '+Inf' : end / 1000}"} ${total}`);
  }
  lines.push(`${name}_sum ${sumMs / 1000}`, `${name}_count ${total}`);
  return `${lines.join('\n')}\n`;
}
