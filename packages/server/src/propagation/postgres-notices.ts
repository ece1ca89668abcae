import pg from 'pg';
import type { Later } from '../timers/repeating.ts';
import { within } from './within.ts';

/** ms between two attempts to reconnect: doubled each time. */
const pause = { shortest: 100, longest: 5000 };

/** ms that the stop waits for a connection that may be dead. */
const farewellMs = 500;

interface Options {
  connection: pg.ClientConfig;
  /** By channel name. Also called after a reconnect, without a payload, because notifications may have been missed. */
  heard: Record<string, (payload: string) => void>;
  later: Later;
}

/**
 * Listens to PostgreSQL's notifications. A notification only triggers a check that would run a little later anyway:
 * while the connection is lost, everything takes longer, but nothing fails.
 */
export class PostgresNotices {
  readonly #options: Options;
  #client: pg.Client | undefined;
  #cancel: () => void = () => undefined;
  #stopped = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Resolves after the first attempt, whether it succeeded or not. */
  async start(delay: number = pause.shortest): Promise<void> {
    const { connection, heard } = this.#options;
    const client = new pg.Client({ ...connection, application_name: 'soku notices' });
    this.#client = client;
    let over = false;
    const again = () => {
      if (over || this.#stopped) return;
      over = true;
      client.end().catch(() => undefined);
      this.#cancel = this.#options.later(() => void this.start(Math.min(pause.longest, delay * 2)), delay);
    };
    client.on('error', again);
    client.on('end', again);
    client.on('notification', ({ channel, payload }) => heard[channel]?.(payload ?? ''));
    try {
      await client.connect();
      for (const channel of Object.keys(heard)) await client.query(`LISTEN ${channel}`);
      for (const wake of Object.values(heard)) wake('');
    } catch {
      again();
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    if (this.#client !== undefined) await within(this.#client.end(), farewellMs, this.#options.later);
  }
}
