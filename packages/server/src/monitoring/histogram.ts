interface Series {
  /** Absent for a histogram with one series. */
  labels?: Readonly<Record<string, string>>;
  /** Number of observations in each bucket, not cumulative. */
  counts: readonly number[];
  sumMs: number;
}

interface Histogram {
  name: string;
  help: string;
  /** Upper bounds of the buckets in ms; the last bucket has none. */
  ends: readonly number[];
  series: Iterable<Series>;
}

/**
 * A histogram of seconds in Prometheus' text format. The library's own histogram only takes single observations and
 * cannot be filled with buckets that were counted elsewhere.
 */
export function formatHistogram({ name, help, ends, series }: Histogram): string {
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`];
  for (const { labels = {}, counts, sumMs } of series) {
    let total = 0;
    for (const [i, count] of counts.entries()) {
      total += count;
      const end = ends[i];
      const le = end === undefined ? '+Inf' : String(end / 1000);
      lines.push(`${name}_bucket${labelText({ ...labels, le })} ${total}`);
    }
    lines.push(
      `${name}_sum${labelText(labels)} ${sumMs / 1000}`,
      `${name}_count${labelText(labels)} ${total}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** @param labels whose values contain no quotes, backslashes or line feeds */
function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}
