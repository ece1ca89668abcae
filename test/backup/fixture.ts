import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, globSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { decodeJournal } from '../support/journal-files.ts';
import { runOperatorInProcess } from '../support/operator-in-process.ts';
import { createTemporaryDatabase, type TemporaryDatabase } from '../support/postgres-database.ts';
import { fillDirectory, readyDatabase } from '../support/ready-data.ts';
import {
  newDataDir,
  onePublicUrl,
  operator,
  startServer,
  type TestServer,
  testSecret,
} from '../support/server.ts';

type Kind = 'sqlite' | 'postgres';
export const kinds: readonly Kind[] = ['sqlite', 'postgres'];

/** Progress lines, which appear only on a slow machine. */
const progress = /^\w+: [\d,]+ rows?\n/gm;

/** A data directory and its database, which an operator can replace while the directory stays. */
export class BackupFixture {
  readonly kind: Kind;
  readonly dataDir = newDataDir();
  /** A directory for backups and databases that were moved away. */
  readonly backupDir = newDataDir();
  readonly #databases: TemporaryDatabase[] = [];
  readonly #servers: TestServer[] = [];

  constructor(kind: Kind) {
    this.kind = kind;
  }

  /** Creates a fixture with the tables and the owner of a first start, and removes it after the test. */
  static async ready(t: TestContext, kind: Kind): Promise<BackupFixture> {
    const fixture = new BackupFixture(kind);
    t.after(() => fixture.end());
    if (!(await fixture.#fill())) await (await fixture.start()).kill('SIGTERM');
    return fixture;
  }

  /** Creates an empty fixture and removes it after the test. */
  static async of(t: TestContext, kind: Kind): Promise<BackupFixture> {
    const fixture = new BackupFixture(kind);
    t.after(() => fixture.end());
    if (kind === 'postgres') await fixture.freshDatabase();
    return fixture;
  }

  /** Replaces the database with an empty one: a new PostgreSQL database, or no file. */
  async freshDatabase(): Promise<void> {
    if (this.kind === 'postgres') this.#databases.push(await createTemporaryDatabase());
    else for (const file of globSync('soku.db*', { cwd: this.dataDir })) this.#moveAway(file);
  }

  get variables(): Record<string, string> {
    const url = this.#databases.at(-1)?.url;
    return url === undefined ? {} : { DATABASE_URL: url, SOKU_SECRET: testSecret };
  }

  /** @param dataDir that of another node, which shares the database */
  async start(dataDir = this.dataDir, env: Record<string, string> = {}): Promise<TestServer> {
    const server = await startServer({
      dataDir,
      database: 'sqlite',
      env: { ...onePublicUrl, ...this.variables, ...env },
    });
    this.#servers.push(server);
    return server;
  }

  /** Runs an operator command in this process. The output excludes progress lines. */
  async operate(
    args: string[],
    env: Record<string, string> = {},
  ): Promise<{ code: number | null; output: string }> {
    const { code, output } = await runOperatorInProcess(args, {
      SOKU_DATA_DIR: this.dataDir,
      ...this.variables,
      ...env,
    });
    return { code, output: output.replace(progress, '') };
  }

  /** The same in its own process, as an operator runs it. */
  async operateAsProcess(
    args: string[],
    env: Record<string, string> = {},
  ): Promise<{ code: number | null; output: string }> {
    const child = this.spawnOperator(args, env);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    const [code] = await once(child, 'close');
    return { code, output: output.replace(progress, '') };
  }

  spawnOperator(args: string[], env: Record<string, string> = {}): ChildProcess {
    return spawn(process.execPath, [operator, ...args], {
      env: { PATH: process.env.PATH, SOKU_DATA_DIR: this.dataDir, ...this.variables, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  inBackupDir(name: string): string {
    return join(this.backupDir, name);
  }

  /** The hashes of a journal in its order, as 64 hex digits each. */
  journal(dataDir = this.dataDir): string[] {
    const file = join(dataDir, 'revoked-hashes');
    return existsSync(file) ? decodeJournal(readFileSync(file)) : [];
  }

  async end(): Promise<void> {
    for (const server of this.#servers) await server.kill();
    for (const database of this.#databases) await database.drop();
    for (const directory of [this.dataDir, this.backupDir])
      rmSync(directory, { recursive: true, force: true });
  }

  async #fill(): Promise<boolean> {
    if (this.kind === 'sqlite') return fillDirectory(this.dataDir);
    const { database, isFilled } = await readyDatabase();
    this.#databases.push(database);
    return isFilled;
  }

  #moveAway(file: string): void {
    renameSync(join(this.dataDir, file), join(this.backupDir, file));
  }
}

/** The hash of a key as `BackupFixture.journal` returns it. */
export function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
