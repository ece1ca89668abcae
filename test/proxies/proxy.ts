import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Program } from '../support/debian.ts';
import { freePort } from '../support/server.ts';
import { testTimeoutMs } from '../support/test-timeout.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The properties in which proxies differ. */
export interface Recipe {
  program: string;
  /** Its Debian packages. Default: the package with the name of the program. */
  packages?: readonly string[];
  page: string;
  /** Example files in the repository, copied into the folder of a run. */
  examples: readonly string[];
  /** The line of an example before which readers insert, according to the page, an open path. */
  openBefore: string;
  /** The line of an example before which readers insert, according to the page, the scopes that they require. */
  scopesBefore: string;
  /** Whether the proxy sends the body to Soku although the configuration drops it (Varnish 7.1). */
  sendsBody?: boolean;
  /** Writes the other files of a run. The proxy must listen on `port`. @returns the program's arguments */
  prepare(folder: string, run: { program: Program; port: number }): string[];
}

interface Placement {
  /** Ports on 127.0.0.1. */
  soku: number;
  api: number;
  /** Its own port. Default: a free one. */
  port?: number;
  /** A change to the example text, as a reader of the page may make it. */
  edit?: (text: string) => string;
}

/** A real proxy process with the documented configuration. */
export class ProxyProcess {
  readonly url: string;
  readonly #folder: string;
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  #output = '';

  private constructor(child: ChildProcess, port: number, folder: string) {
    this.url = `http://127.0.0.1:${port}`;
    this.#process = child;
    this.#folder = folder;
    this.#ended = once(child, 'close');
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
      });
    }
  }

  /** Starts the proxy and waits until it listens. */
  static async start(recipe: Recipe, program: Program, placement: Placement): Promise<ProxyProcess> {
    for (let attempt = 1; ; attempt++) {
      const proxy = await ProxyProcess.#spawn(recipe, program, placement);
      if (await proxy.#listens()) return proxy;
      const output = proxy.#output;
      await proxy.stop();
      // Another process may have taken the free port in the meantime.
      if (attempt === 3) throw new Error(`${recipe.program} ended: ${output}`);
    }
  }

  static async #spawn(recipe: Recipe, program: Program, placement: Placement): Promise<ProxyProcess> {
    const folder = mkdtempSync(join(tmpdir(), `soku-${recipe.program}-`));
    const port = placement.port ?? (await freePort());
    const ports: Record<string, number> = { 3000: placement.soku, 4000: placement.api, 8080: port };
    for (const example of recipe.examples) {
      const text = readFileSync(join(root, example), 'utf8');
      const adapted = (placement.edit?.(text) ?? text)
        .replaceAll(/\b(3000|4000|8080)\b/g, (example) => String(ports[example]))
        .replaceAll(/\/(etc|var\/log)\/(nginx|haproxy|apache2|varnish)\//g, `${folder}/`);
      writeFileSync(join(folder, basename(example)), adapted);
    }
    const child = spawn(program.file, recipe.prepare(folder, { program, port }), {
      cwd: folder,
      // Caddy keeps files under these.
      env: {
        PATH: process.env.PATH,
        TZ: 'UTC',
        HOME: folder,
        XDG_CONFIG_HOME: folder,
        XDG_DATA_HOME: folder,
        ...program.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new ProxyProcess(child, port, folder);
  }

  /** Everything that the proxy wrote to its output and log files. */
  get logs(): string {
    const files = globSync('**/*.log', { cwd: this.#folder });
    return [this.#output, ...files.map((file) => readFileSync(join(this.#folder, file), 'utf8'))].join('\n');
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGTERM');
    await this.#ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Waits until the proxy listens; resolves to false if it has exited. */
  async #listens(): Promise<boolean> {
    const deadline = performance.now() + testTimeoutMs;
    while (performance.now() < deadline) {
      if (this.#process.exitCode !== null) return false;
      const socket = connect(Number(new URL(this.url).port), '127.0.0.1');
      const opened = await once(socket, 'connect').then(
        () => true,
        () => false,
      );
      socket.destroy();
      if (opened) return true;
    }
    return false;
  }
}
