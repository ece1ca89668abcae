import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onPostgres, runSql } from './run-sql.ts';
import { startServer, type TestServer } from './server.ts';

/** Code that runs before the server: at each SIGUSR2 it shifts the clock by the value in a file. */
const preload = `
  import { readFileSync } from 'node:fs';
  const real = Date.now;
  let ahead = 0;
  let moves = 0;
  Date.now = () => real() + ahead;
  process.on('SIGUSR2', () => {
    ahead = Number(readFileSync(process.env.SOKU_DATA_DIR + '/clock', 'utf8'));
    moves += 1;
    console.log('clock moved: ' + moves + '.');
  });`;

/** On PostgreSQL limits use the clock of the database: this function shadows PostgreSQL's own. */
const databaseClock = (ahead: number) => `
  CREATE OR REPLACE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
  $$ SELECT pg_catalog.clock_timestamp() + interval '${ahead} ms' $$`;

/** The clock of a server, which a test can move instead of waiting for the end of a minute. */
export class MovableClock {
  readonly #server: TestServer;
  /** Whether limits use the clock of the server's own PostgreSQL database. */
  readonly #hasDatabase: boolean;
  /** ms ahead of the real clock. */
  #ahead = 0;
  #moves = 0;

  constructor(server: TestServer, hasDatabase: boolean) {
    this.#server = server;
    this.#hasDatabase = hasDatabase;
  }

  /** The server's time in epoch ms. */
  get now(): number {
    return Date.now() + this.#ahead;
  }

  /** Moves the clock forward or back. Resolves when the server uses the new time. */
  async move(ms: number): Promise<void> {
    this.#ahead += ms;
    this.#moves += 1;
    if (this.#hasDatabase) await runSql(this.#server, databaseClock(this.#ahead));
    writeFileSync(join(this.#server.dataDir, 'clock'), String(this.#ahead));
    process.kill(this.#server.pid, 'SIGUSR2');
    await this.#server.printed(`clock moved: ${this.#moves}.`);
  }

  /** Moves the clock to the start of a minute, so that the following calls are in one minute. */
  async beginMinute(): Promise<void> {
    await this.move(60_000 - (this.now % 60_000));
  }
}

/** @param env as in startServer */
export async function startWithMovableClock(
  env: Record<string, string> = {},
): Promise<{ server: TestServer; clock: MovableClock }> {
  const nodeArguments = ['--import', `data:text/javascript,${encodeURIComponent(preload)}`];
  const hasDatabase = onPostgres && env.DATABASE_URL === undefined;
  const prepare = async (dataDir: string) => {
    if (!hasDatabase) return;
    await runSql({ dataDir }, databaseClock(0));
    await runSql(
      { dataDir },
      `DO $$ BEGIN
         EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database());
       END $$`,
    );
  };
  const server = await startServer({ env, nodeArguments, prepare });
  return { server, clock: new MovableClock(server, hasDatabase) };
}
