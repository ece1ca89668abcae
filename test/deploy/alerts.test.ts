/** The alerts of deploy/alerts.yaml: Prometheus's own check and unit tests, and the metrics of a real server. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseYaml } from '@redocly/openapi-core';
import { errorCodeNames } from '@soku/contract/error-codes';
import { z } from 'zod';
import { debianProgram } from '../support/debian.ts';
import { call } from '../support/person.ts';
import { root, startServer } from '../support/server.ts';

const rulesSchema = z.object({
  groups: z.tuple([
    z.object({
      rules: z.array(
        z.strictObject({
          alert: z.string(),
          expr: z.string(),
          for: z.string().optional(),
          labels: z.strictObject({ severity: z.enum(['warning', 'critical']) }),
          annotations: z.strictObject({ summary: z.string(), description: z.string(), runbook: z.string() }),
        }),
      ),
    }),
  ]),
});
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const [{ rules }] = rulesSchema.parse(parseYaml(read('deploy/alerts.yaml'))).groups;
const names = rules.map(({ alert }) => alert);
const unitTests = ['test/deploy/alerts.test.yaml', 'test/deploy/alerts-of-days.test.yaml'];
const page = 'docs/operations/alerts.md';

const promtool = debianProgram('promtool', ['prometheus']);
const skip = typeof promtool === 'string' ? promtool : false;

test('promtool accepts the rules, and their unit tests pass', { skip }, () => {
  assert.ok(typeof promtool !== 'string');
  const { file, env } = promtool;
  for (const command of ['check rules deploy/alerts.yaml', `test rules ${unitTests.join(' ')}`]) {
    const { status, stdout, stderr } = spawnSync(file, command.split(' '), {
      cwd: root,
      env,
      encoding: 'utf8',
    });
    assert.equal(status, 0, `${stdout}${stderr}`);
  }
});

test('each alert fires in a unit test, and has a section that says what to do', () => {
  const fired = new Set(
    Array.from(
      unitTests
        .map(read)
        .join('')
        .matchAll(/alertname="(\w+)"/g),
      ([, name]) => name,
    ),
  );
  assert.deepEqual([...fired].sort(), [...names].sort());
  const sections = Array.from(read(page).matchAll(/^## (\w+)$/gm), ([, name]) => name);
  assert.deepEqual(sections, names);
  for (const { alert, annotations } of rules) {
    assert.equal(annotations.runbook, `${page}#${alert.toLowerCase()}`);
  }
});

test('a real server has every metric of the rules, with these labels and values', async (t) => {
  const server = await startServer({ database: 'postgres' });
  t.after(() => server.stop());
  const read = async () => (await call(`${server.url}/metrics`)).text;
  // The second response counts the first request.
  await read();
  const text = await read();
  const withoutMetrics = rules.filter(({ expr }) => selectorsOf(expr).length === 0);
  assert.deepEqual(
    withoutMetrics.map(({ alert }) => alert),
    ['SokuDown'],
  );
  for (const selector of rules.flatMap(({ expr }) => selectorsOf(expr))) assertMetric(text, selector);
});

interface Selector {
  metric: string;
  /** Pairs of a label and one of its values. */
  labels: [string, string][];
}

/** The metrics of Soku that an expression selects. */
function selectorsOf(expr: string): Selector[] {
  const found = expr.matchAll(/\b((?:soku|nodejs)_[a-z0-9_]+)(?:\{([^}]*)\})?/g);
  return Array.from(found, ([, metric = '', matchers = '']) => ({
    metric,
    labels: Array.from(matchers.matchAll(/(\w+)(?:=~|!~|!=|=)"([^"]*)"/g)).flatMap(
      ([, label = '', values = '']) => values.split('|').map((value): [string, string] => [label, value]),
    ),
  }));
}

function assertMetric(text: string, { metric, labels }: Selector): void {
  assert.match(text, new RegExp(`^# TYPE ${metric.replace(/_bucket$/, '')} `, 'm'));
  for (const [label, value] of labels) {
    // Prometheus adds the job. A series of a status or of most results appears with the first request of its kind.
    if (label === 'job') continue;
    const isAbsent = value !== 'verification_unavailable' && ['valid', ...errorCodeNames].includes(value);
    if (label === 'result' && isAbsent) continue;
    const isOfRequests = metric === 'soku_http_requests_total';
    const pattern = `^${metric}\\{[^}]*\\b${label}="${isOfRequests ? '[^"]+' : value}"`;
    assert.match(text, new RegExp(pattern, 'm'), `${metric}{${label}="${value}"}`);
  }
}
