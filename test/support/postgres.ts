import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { type Certificate, makeCertificate } from './postgres-certificate.ts';
import {
  cacheDirectory,
  copyTemplate,
  giveTo,
  type Installation,
  installPostgres,
} from './postgres-installation.ts';
import { freeze, killAll, thaw } from './postgres-processes.ts';

interface PostgresOptions {
  /** With fsync, as in production; for measurements. Default: without, which only a crash of the machine shows. */
  durable?: boolean;
  /** With a certificate for localhost and 127.0.0.1 that `certificate` has; connections without TLS work as well. */
  tls?: boolean;
  /** Further settings of postgresql.conf. */
  settings?: Record<string, string>;
}

const quick = { fsync: 'off', full_page_writes: 'off' };
const always = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '16MB',
  // Both leave less behind in the machine after a SIGKILL, and start quicker.
  dynamic_shared_memory_type: 'mmap',
  io_method: 'sync',
};

/**
 * Ends the server and removes its directory ($1) when the test process ends, however that ends: its end of the pipe
 * closes. The server is found by its own file, and only taken for it when it works in its directory: the number may
 * be somebody else's by now. Processes that were stopped (SIGSTOP) go on first, or the end takes five seconds more.
 */
const watchdog = `
cat > /dev/null
read -r pid < "$1/data/postmaster.pid"
if [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd")" = "$1/data" ]; then
  for stat in /proc/[0-9]*/stat; do
    read -r child name state parent rest < "$stat" && [ "$parent" = "$pid" ] && kill -CONT "$child"
  done
  kill -CONT "$pid"
  kill -QUIT "$pid"
  for round in $(seq 200); do
    [ "$(readlink "/proc/$pid/cwd")" = "$1/data" ] || break
    sleep 0.05
  done
fi
rm -rf "$1"
`;

/** A real server with a directory of its own, which lives no longer than this process. */
export class Postgres {
  readonly port: number;
  /** Of its data and its log. */
  readonly directory: string;
  /** In PEM; only with `tls`. */
  readonly certificate: string | undefined;
  readonly #installation: Installation;
  readonly #watchdog: ChildProcess;
  #process: ChildProcess | undefined;

  constructor(installation: Installation, directory: string, port: number, certificate?: string) {
    this.port = port;
    this.certificate = certificate;
    this.#installation = installation;
    this.directory = directory;
    this.#watchdog = spawn('sh', ['-c', watchdog, 'sh', directory], {
      // In a group of its own: Ctrl+C ends the tests, and then it has work to do.
      detached: true,
      cwd: '/',
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    letProcessEnd(this.#watchdog);
  }

  /** The superuser's way in. A test that plays an operator's server uses `temporaryDatabase()`, which is no superuser. */
  url(database = 'postgres'): string {
    return `postgres://postgres:${this.#installation.password}@127.0.0.1:${this.port}/${database}`;
  }

  /** Everything that the server logged. */
  get log(): string {
    return readFileSync(join(this.directory, 'log'), 'utf8');
  }

  /** Starts it again after `crash()`, on the same port, and returns when it answers. */
  async start(): Promise<void> {
    const log = openSync(join(this.directory, 'log'), 'a');
    const child = spawn(this.#installation.program, ['-D', join(this.directory, 'data')], {
      ...this.#installation.user,
      detached: true,
      cwd: this.directory,
      env: { TZ: 'UTC' },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    letProcessEnd(child);
    child.once('error', () => {});
    while (!this.#isReady(child.pid)) {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`PostgreSQL did not start: ${this.log}`);
      }
      await after(5);
    }
    this.#process = child;
  }

  /** As pg_ctl sees it: the server writes how far it is into line 8 of its file. */
  #isReady(pid: number | undefined): boolean {
    try {
      const lines = readFileSync(join(this.directory, 'data/postmaster.pid'), 'utf8').split('\n');
      return lines[0] === String(pid) && lines[7]?.trim() === 'ready';
    } catch {
      return false;
    }
  }

  /** Every process of it dies at once, without a word to its clients. Committed data stays. */
  async crash(): Promise<void> {
    const { pid } = this;
    await killAll(pid);
    // Until its death was heard here its number is taken, and a new server would believe that it still runs.
    while (this.#process?.signalCode === null && this.#process.exitCode === null) await after(1);
    this.#process = undefined;
  }

  /** A crash, and a new start on the same port with the same data. */
  async restart(): Promise<void> {
    await this.crash();
    await this.start();
  }

  /** Every process of it stands still. New connections are accepted by the kernel and get no answer. */
  async pause(): Promise<void> {
    await freeze(this.pid);
  }

  resume(): void {
    thaw(this.pid);
  }

  /** Ends it, whatever state it is in, and removes its data. */
  async stop(): Promise<void> {
    const { exitCode, signalCode, stdin } = this.#watchdog;
    if (exitCode !== null || signalCode !== null) return;
    const ended = once(this.#watchdog, 'exit');
    this.#watchdog.ref();
    stdin?.end();
    await ended;
  }

  /** Of the process that started all others of it. */
  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error('PostgreSQL does not run');
    return pid;
  }
}

/** A fresh server on a free port of 127.0.0.1. It ends with this process at the latest. */
export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  const installation = installPostgres();
  for (let attempt = 1; ; attempt++) {
    const postgres = await prepare(installation, options);
    try {
      await postgres.start();
      return postgres;
    } catch (error) {
      const { log } = postgres;
      await postgres.stop();
      // Somebody else may have taken the free port in between.
      if (attempt === 3 || !log.includes('Address already in use')) throw error;
    }
  }
}

async function prepare(installation: Installation, options: PostgresOptions): Promise<Postgres> {
  const directory = mkdtempSync(join(cacheDirectory(), 'soku-postgres-'));
  // The log is ours, the data is the server's.
  chmodSync(directory, 0o755);
  const port = await lastingPort();
  const certificate = options.tls === true ? makeCertificate() : undefined;
  const postgres = new Postgres(installation, directory, port, certificate?.certificate);
  const data = join(directory, 'data');
  copyTemplate(installation, data);
  if (certificate !== undefined) writeCertificate(certificate, installation, data);
  const settings = {
    ...always,
    ...(options.durable === true ? {} : quick),
    port: String(port),
    ssl: certificate === undefined ? 'off' : 'on',
    ...options.settings,
  };
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`,
  );
  writeFileSync(join(data, 'postgresql.conf'), lines.join(''), { flag: 'a' });
  return postgres;
}

/**
 * A free port below those that Linux gives to outgoing connections (32768 and up): one of them could take it between
 * a crash and the new start.
 */
async function lastingPort(): Promise<number> {
  for (;;) {
    const port = randomInt(15_000, 32_000);
    const probe = createServer().listen(port, '127.0.0.1');
    const isFree = await once(probe, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    probe.close();
    await once(probe, 'close');
    return port;
  }
}

function writeCertificate({ certificate, key }: Certificate, { user }: Installation, data: string): void {
  for (const [name, text] of Object.entries({ 'server.crt': certificate, 'server.key': key })) {
    writeFileSync(join(data, name), text, { mode: 0o600 });
    giveTo(user, join(data, name));
  }
}

/** Lets this process end while the child runs. */
function letProcessEnd(child: ChildProcess): void {
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
}
