import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { createServer, Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { type Certificate, createCertificate } from './postgres-certificate.ts';
import {
  cacheDirectory,
  changeOwner,
  copyTemplate,
  type Installation,
  installPostgres,
} from './postgres-installation.ts';
import { freeze, killAll, unfreeze } from './postgres-processes.ts';

interface PostgresOptions {
  /** With fsync, as in production; for measurements. Default: without, which matters only if the machine crashes. */
  durable?: boolean;
  /** With a certificate for localhost and 127.0.0.1, in `certificate`; connections without TLS also work. */
  tls?: boolean;
  /** Additional settings of postgresql.conf. */
  settings?: Record<string, string>;
  /** Starts a standby of this server, which streams everything since initdb: use it soon after the start. */
  standbyOf?: Postgres;
}

const quick = { fsync: 'off', full_page_writes: 'off' };
const always = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '16MB',
  // Both leave fewer resources behind after a SIGKILL, and start faster.
  dynamic_shared_memory_type: 'mmap',
  io_method: 'sync',
  // Shares the blocks of a copied database if the file system can, or at least copies them in the kernel.
  file_copy_method: 'clone',
  // Bounds the memory that the log takes.
  max_wal_size: '256MB',
};

/**
 * Ends the server and removes its directory ($1) when the test process ends in any way, which closes its end of the
 * pipe. The server's process ID comes from its own file and is used only if that process works in its directory,
 * because the ID may have been reused. Stopped processes (SIGSTOP) are resumed first, or ending them would take five
 * seconds longer.
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

/** A real server with its own directory, which ends with this process at the latest. */
export class Postgres {
  readonly port: number;
  /** The directory of its data and its log. */
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
      // In its own process group: when Ctrl+C ends the tests, it must still clean up.
      detached: true,
      cwd: '/',
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    letProcessEnd(this.#watchdog);
  }

  /** The superuser's URL. A test of a server uses `createTemporaryDatabase()`, whose user is not a superuser. */
  url(database = 'postgres'): string {
    return `postgres://postgres:${this.#installation.password}@127.0.0.1:${this.port}/${database}`;
  }

  /** Everything that the server logged. */
  get log(): string {
    return readFileSync(join(this.directory, 'log'), 'utf8');
  }

  /** Restarts it after `crash()` or `shutDown()`, on the same port, and returns when it responds. */
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

  /** Until its exit was reaped, its process ID is in use, and a new server would assume that it still runs. */
  async #reaped(): Promise<void> {
    while (this.#process?.signalCode === null && this.#process.exitCode === null) await after(1);
    this.#process = undefined;
  }

  /** Like pg_ctl: the server writes its state into line 8 of its PID file. */
  #isReady(pid: number | undefined): boolean {
    try {
      const lines = readFileSync(join(this.directory, 'data/postmaster.pid'), 'utf8').split('\n');
      return lines[0] === String(pid) && lines[7]?.trim() === 'ready';
    } catch {
      return false;
    }
  }

  /** Kills all its processes at once, without any message to clients. Committed data stays. */
  async crash(): Promise<void> {
    const { pid } = this;
    await killAll(pid);
    await this.#reaped();
  }

  /** Ends it like a service manager: it cuts off its clients and writes its state (fast shutdown). */
  async shutDown(): Promise<void> {
    process.kill(this.pid, 'SIGINT');
    await this.#reaped();
  }

  /** Crashes and restarts it on the same port with the same data. */
  async restart(): Promise<void> {
    await this.crash();
    await this.start();
  }

  /** Stops all its processes. The kernel accepts new connections, but they get no response. */
  async pause(): Promise<void> {
    await freeze(this.pid);
  }

  resume(): void {
    unfreeze(this.pid);
  }

  /** Ends it in any state and removes its data. */
  async stop(): Promise<void> {
    const { exitCode, signalCode, stdin } = this.#watchdog;
    if (exitCode !== null || signalCode !== null) return;
    const ended = once(this.#watchdog, 'exit');
    this.#watchdog.ref();
    stdin?.end();
    await ended;
  }

  /** Process ID of the parent of all its processes. */
  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error('PostgreSQL is not running');
    return pid;
  }
}

/** Starts a new server on a free port of 127.0.0.1. It ends with this process at the latest. */
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
      // Another process may have taken the free port in the meantime.
      if (attempt === 3 || !log.includes('Address already in use')) throw error;
    }
  }
}

async function prepare(installation: Installation, options: PostgresOptions): Promise<Postgres> {
  const parent = options.durable === true ? cacheDirectory() : quickDirectory();
  const directory = mkdtempSync(join(parent, 'soku-postgres-'));
  // The log belongs to the test's user, the data to the server's user.
  chmodSync(directory, 0o755);
  const port = await lastingPort();
  const certificate = options.tls === true ? createCertificate() : undefined;
  const postgres = new Postgres(installation, directory, port, certificate?.certificate);
  const data = join(directory, 'data');
  copyTemplate(installation, data);
  if (certificate !== undefined) writeCertificate(certificate, installation, data);
  const settings = {
    ...always,
    ...(options.durable === true ? {} : quick),
    port: String(port),
    ssl: certificate === undefined ? 'off' : 'on',
    ...(options.standbyOf === undefined ? {} : { primary_conninfo: options.standbyOf.url() }),
    ...options.settings,
  };
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`,
  );
  writeFileSync(join(data, 'postgresql.conf'), lines.join(''), { flag: 'a' });
  // Both come from one template, so they are the same cluster, as after a base backup.
  if (options.standbyOf !== undefined) writeFileSync(join(data, 'standby.signal'), '');
  return postgres;
}

/**
 * A file system in memory, if the machine has plenty of it: there, creating and removing a database takes a tenth of the
 * CPU time. All databases of a run together take less than 1 GB.
 */
function quickDirectory(): string {
  const [tmpfs, plenty] = [0x01021994, 4 * 2 ** 30];
  try {
    const memory = realpathSync('/dev/shm');
    const { type, bavail, bsize } = statfsSync(memory);
    if (type === tmpfs && Math.min(bavail * bsize, process.availableMemory()) >= plenty) return memory;
  } catch {
    // This system has none.
  }
  return cacheDirectory();
}

/**
 * A free port below the ephemeral range of Linux (32768 and up): an outgoing connection could otherwise take it between
 * a crash and the restart.
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
    changeOwner(user, join(data, name));
  }
}

/** Allows this process to end while the child runs. */
function letProcessEnd(child: ChildProcess): void {
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
}
