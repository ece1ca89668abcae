import assert from 'node:assert/strict';

const typeLine = /^# TYPE (\S+) (?:counter|gauge|histogram|summary)$/gm;
const sampleLine = /^([a-z_][a-z0-9_]*)(\{(?:[a-z_]+="[^"\\\n]*",?)+\})? (\S+)$/;

/**
 * Checks Prometheus' text format: each family once, each sample once and in a family, finite values, and cumulative
 * buckets (https://prometheus.io/docs/instrumenting/exposition_formats/).
 */
export function assertExposition(text: string): void {
  const families = Array.from(text.matchAll(typeLine), ([, name]) => name ?? '');
  assert.deepEqual(families, [...new Set(families)], 'a family is repeated');
  const known = new Set(families);
  const samples = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(readSample);
  const names = samples.map(({ name, labels }) => name + labels);
  assert.deepEqual(names, [...new Set(names)], 'a sample is repeated');
  for (const { name } of samples) {
    assert.ok(known.has(name) || known.has(name.replace(/_(bucket|sum|count)$/, '')), name);
  }
  assertCumulative(samples.filter(({ name }) => name.endsWith('_bucket')));
}

function readSample(line: string): { name: string; labels: string; value: number } {
  const [, name, labels = '', number] = sampleLine.exec(line) ?? [];
  const value = Number(number);
  assert.ok(name !== undefined && Number.isFinite(value) && Math.abs(value) < 1e18, line);
  return { name, labels, value };
}

function assertCumulative(buckets: { name: string; labels: string; value: number }[]): void {
  const last = new Map<string, number>();
  for (const { name, labels, value } of buckets) {
    const series = name + labels.replace(/,?le="[^"]*"/, '');
    assert.ok(value >= (last.get(series) ?? 0), `${name}${labels}`);
    last.set(series, value);
  }
}
