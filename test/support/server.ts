import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isBuilt, products } from '../../scripts/build.mjs';
import { Person } from './person.ts';
import { createTemporaryDatabase, type TemporaryDatabase } from './postgres-database.ts';
import { type Accounts, fillDirectory, readyDatabase } from './ready-data.ts';

export const root: string = fileURLToPath(new URL('../..', import.meta.url));
/** A run of all tests checks this once and passes the result to its processes. */
const isServerBuilt = process.env.SOKU_TEST_BUNDLE
  ? process.env.SOKU_TEST_BUNDLE === 'yes'
  : isBuilt(root, products.server);
/** The bundle that the npm scripts run, if it is up to date; otherwise the sources. */
const program = (name: 'main' | 'operator') =>
  join(root, 'packages/server', isServerBuilt ? `dist/${name}.js` : `src/${name}.ts`);
const main = program('main');
export const operator: string = program('operator');

/** The secret of servers on PostgreSQL. */
export const testSecret = 'a secret that is only for the tests';

export const owner = { email: 'ada@example.com', password: 'correct horse battery' };

/** For several servers of one deployment: the name of the session cookie depends on the public URL. */
export const onePublicUrl = { SOKU_PUBLIC_URL: 'http://localhost:3000' };

interface StartOptions {
  /** In addition to HOST, PORT, SOKU_DATA_DIR and the owner. `undefined` removes a variable. */
  env?: Record<string, string | undefined>;
  /** An existing data directory, which is not removed at the end. On PostgreSQL its database belongs to it. */
  dataDir?: string;
  /** Default: SOKU_TEST_DATABASE, else SQLite. */
  database?: 'sqlite' | 'postgres';
  /** Arguments for Node itself. */
  nodeArguments?: string[];
  /** Removes root's privileges beyond those of the owner of files. */
  unprivileged?: boolean;
  /** A program with arguments that runs the command that follows them, such as strace. */
  under?: readonly string[];
  /** Called when the data directory, or its database, is ready. */
  prepare?: (dataDir: string) => Promise<void>;
  /** Starts without data. Default: an empty data directory gets tables and owner, unless `env` has another owner. */
  isFresh?: boolean;
}

interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

const running = new Set<ChildProcess>();

/** Kills the servers that a failed test left behind, because a process does not end before its children. */
export function killServers(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** A real server process on a free port, with its own data directory. */
export class TestServer {
  readonly url: string;
  readonly dataDir: string;
  /** The variables that the process was given. */
  readonly env: NodeJS.ProcessEnv;
  readonly #process: ChildProcess;
  readonly #output: string[] = [];
  readonly #exited: Promise<Exit>;
  readonly #removeData: boolean;

  constructor(
    child: ChildProcess,
    { env, dataDir, removeData }: { env: NodeJS.ProcessEnv; dataDir: string; removeData: boolean },
  ) {
    this.url = `http://localhost:${env.PORT}`;
    this.dataDir = dataDir;
    this.env = env;
    this.#process = child;
    this.#removeData = removeData;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => this.#output.push(text));
    }
    running.add(child);
    this.#exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        running.delete(child);
        resolve({ code, signal });
      });
    });
  }

  /** The output of the process so far. */
  get output(): string {
    return this.#output.join('');
  }

  get pid(): number {
    const { pid } = this.#process;
    if (pid === undefined) throw new Error('the process did not start');
    return pid;
  }

  /** Resolves when the output contains `text`; fails if the process ends without it. */
  async printed(text: string): Promise<void> {
    let exit: Exit | undefined;
    while (!this.output.includes(text)) {
      if (exit !== undefined)
        throw new Error(`the server ended with ${exit.code ?? exit.signal}: ${this.output}`);
      const waiting = new AbortController();
      const streams = [this.#process.stdout, this.#process.stderr].flatMap((stream) => stream ?? []);
      exit = await Promise.race([
        ...streams.map((stream) => once(stream, 'data', { signal: waiting.signal }).then(() => undefined)),
        this.#exited,
      ]);
      waiting.abort();
    }
  }

  /** The owner, signed in. */
  async signIn(account = owner): Promise<Person> {
    return Person.signIn(this.url, account);
  }

  /** Waits for the process to end by itself. */
  async exited(): Promise<Exit> {
    return this.#exited;
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> {
    this.#process.kill(signal);
    return this.#exited;
  }

  /** Stops the process like a service manager, and removes its data. */
  async stop(): Promise<void> {
    await this.kill('SIGTERM');
    if (!this.#removeData) return;
    rmSync(this.dataDir, { recursive: true, force: true });
    await databases.get(this.dataDir)?.drop();
    databases.delete(this.dataDir);
  }
}

/** Starts the server and waits until it listens. */
export async function startServer(options: StartOptions = {}): Promise<TestServer> {
  for (let attempt = 1; ; attempt++) {
    const server = await spawnServer(options);
    try {
      await server.printed('Listening on');
      return server;
    } catch (error) {
      // Another process may have taken the free port in the meantime.
      if (attempt === 3 || (await server.exited()).code !== 69) throw error;
    }
  }
}

/** Starts the server without waiting: for tests of failing starts. */
export async function spawnServer({
  env = {},
  dataDir,
  database,
  nodeArguments = [],
  unprivileged = false,
  under = [],
  isFresh = false,
  prepare,
}: StartOptions = {}): Promise<TestServer> {
  const directory = dataDir ?? newDataDir();
  const hasOwnOwner = 'SOKU_OWNER_EMAIL' in env || 'SOKU_OWNER_PASSWORD' in env;
  const isReady = dataDir === undefined && !isFresh && !hasOwnOwner;
  if (isReady) await fillDataDir(directory, { kind: database });
  await prepare?.(directory);
  const port = env.PORT ?? String(await freePort());
  const command = [...under, process.execPath, ...nodeArguments, main];
  const [program = '', ...args] = unprivileged ? withoutPrivileges(command) : command;
  const variables = cleanEnvironment({
    PORT: port,
    SOKU_DATA_DIR: directory,
    SOKU_OWNER_EMAIL: owner.email,
    SOKU_OWNER_PASSWORD: owner.password,
    // Most suites send more requests than the default limit allows. Tests of limits set their own.
    SOKU_KEY_RATE_LIMIT: 'off',
    SOKU_ADDRESS_RATE_LIMIT: 'off',
    ...(await databaseVariables(directory, database)),
    ...env,
  });
  const child = spawn(program, args, { env: variables, stdio: ['ignore', 'pipe', 'pipe'] });
  return new TestServer(child, { env: variables, dataDir: directory, removeData: dataDir === undefined });
}

/** Root ignores file modes. setpriv of util-linux, which every Debian has, can remove this privilege. */
function withoutPrivileges(command: string[]): string[] {
  if (process.getuid?.() !== 0) return command;
  return ['setpriv', '--bounding-set=-all', '--inh-caps=-all', ...command];
}

/**
 * Copies tables and accounts into an empty data directory, or into the database that belongs to it.
 *
 * @returns whether there was data to copy
 */
export async function fillDataDir(
  dataDir: string,
  {
    kind = process.env.SOKU_TEST_DATABASE,
    accounts,
  }: { kind?: string | undefined; accounts?: Accounts } = {},
): Promise<boolean> {
  if (kind !== 'postgres') return fillDirectory(dataDir, accounts);
  const { database, isFilled } = await readyDatabase(accounts);
  databases.set(dataDir, database);
  return isFilled;
}

/** The PostgreSQL databases by data directory. */
const databases = new Map<string, TemporaryDatabase>();

/** Variables of a server that uses the database of a data directory; none on SQLite. */
export async function databaseVariables(
  dataDir: string,
  kind: string | undefined = process.env.SOKU_TEST_DATABASE,
): Promise<Record<string, string>> {
  if (kind !== 'postgres' && !databases.has(dataDir)) return {};
  const database = databases.get(dataDir) ?? (await createTemporaryDatabase());
  databases.set(dataDir, database);
  return { DATABASE_URL: database.url, SOKU_SECRET: testSecret };
}

/** Runs an operator command to its end. */
export async function runOperator(
  args: string[],
  options: { dataDir: string; input?: string; env?: Record<string, string> },
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [operator, ...args], {
    env: cleanEnvironment({
      SOKU_DATA_DIR: options.dataDir,
      ...(await databaseVariables(options.dataDir)),
      ...options.env,
    }),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  child.stdin.end(options.input ?? '');
  const [code] = await once(child, 'close');
  return { code, output };
}

export function newDataDir(): string {
  return mkdtempSync(join(tmpdir(), 'soku-test-'));
}

/** A port that is currently free. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('the probe has no port');
  return address.port;
}

/** The required variables of the machine, without the variables of Soku that it may have. */
function cleanEnvironment(own: Record<string, string | undefined>): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: process.env.HOME, TZ: 'UTC', ...own };
}
