import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { z } from 'zod';
import type { Program } from '../test/support/debian.ts';
import { call } from '../test/support/person.ts';
import { freePort } from '../test/support/server.ts';

const alertsSchema = z.object({
  data: z.object({
    alerts: z.array(
      z.object({
        labels: z.looseObject({ alertname: z.string(), instance: z.string().optional() }),
        annotations: z.object({ summary: z.string() }),
        state: z.enum(['pending', 'firing']),
      }),
    ),
  }),
});
const countSchema = z.object({
  data: z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) }),
});

/** An alert whose condition is met now. */
export interface ActiveAlert {
  name: string;
  /** The server that it is about; undefined: all of them. */
  instance: string | undefined;
  summary: string;
  state: 'pending' | 'firing';
}

interface PrometheusOptions {
  /** The content of the file of rules. */
  rules: unknown;
  /** Time between two scrapes. */
  intervalMs: number;
  /** How long the last value of a series is used. */
  lookbackMs: number;
  /** Addresses by the name of the server. */
  targets: Record<string, string>;
  token: string;
  /** Ends the start. */
  signal: AbortSignal;
}

/** A real Prometheus that scrapes the servers and evaluates the rules. It has no Alertmanager. */
export class Prometheus {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #folder: string;
  readonly #url: string;
  #output = '';

  private constructor(child: ChildProcess, folder: string, port: number) {
    this.#process = child;
    this.#folder = folder;
    this.#url = `http://127.0.0.1:${port}`;
    this.#ended = once(child, 'close');
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
      });
    }
  }

  /** Resolves when it has scraped every server. */
  static async start(program: Program, options: PrometheusOptions): Promise<Prometheus> {
    const folder = mkdtempSync(join(tmpdir(), 'soku-prometheus-'));
    // Both formats are YAML, of which JSON is a part.
    writeFileSync(join(folder, 'alerts.json'), JSON.stringify(options.rules));
    writeFileSync(join(folder, 'prometheus.json'), JSON.stringify(configuration(options)));
    const port = await freePort();
    const settings = {
      'config.file': join(folder, 'prometheus.json'),
      'storage.tsdb.path': join(folder, 'data'),
      'web.listen-address': `127.0.0.1:${port}`,
      'query.lookback-delta': `${options.lookbackMs}ms`,
      'log.level': 'warn',
    };
    const child = spawn(
      program.file,
      Object.entries(settings).map(([name, value]) => `--${name}=${value}`),
      { cwd: folder, env: { PATH: process.env.PATH, ...program.env }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const prometheus = new Prometheus(child, folder, port);
    try {
      while (!(await prometheus.#hasScraped(Object.keys(options.targets).length))) {
        if (child.exitCode !== null) throw new Error(`Prometheus ended: ${prometheus.#output}`);
        await after(100, undefined, { signal: options.signal });
      }
      return prometheus;
    } catch (error) {
      await prometheus.stop();
      throw error;
    }
  }

  async activeAlerts(): Promise<ActiveAlert[]> {
    const { body } = await call(`${this.#url}/api/v1/alerts`);
    return alertsSchema.parse(body).data.alerts.map(({ labels, annotations, state }) => ({
      name: labels.alertname,
      instance: labels.instance,
      summary: annotations.summary,
      state,
    }));
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #hasScraped(servers: number): Promise<boolean> {
    const response = await call(`${this.#url}/api/v1/query?query=sum(up)`).catch(() => undefined);
    if (response?.status !== 200) return false;
    return countSchema.parse(response.body).data.result[0]?.value[1] === String(servers);
  }
}

function configuration({ intervalMs, targets, token }: PrometheusOptions): unknown {
  const interval = `${intervalMs}ms`;
  return {
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
    rule_files: ['alerts.json'],
    scrape_configs: [
      {
        job_name: 'soku',
        authorization: { credentials: token },
        static_configs: Object.entries(targets).map(([instance, target]) => ({
          targets: [target],
          labels: { instance },
        })),
      },
    ],
  };
}
