import pg from 'pg';
import { connectionTestQuery } from '../database/postgres-pool.ts';
import type { Schedule } from '../timers/periodic-task.ts';
import { withTimeout } from './with-timeout.ts';

/** ms between two attempts to reconnect. Doubled each time. */
const retryMs = { shortest: 100, longest: 5000 };

/**
 * ms between two tests of the connection. Without them, a connection that a proxy or firewall has lost would look like
 * one without notifications.
 */
const testInterval = 10_000;

/** ms for which `stop` waits for a connection that may be broken. */
const stopTimeoutMs = 500;

interface Options {
  connection: pg.ClientConfig;
  /** Handlers by channel. Also called with '' after a reconnect, because notifications may have been missed. */
  handlers: Record<string, (payload: string) => void>;
  schedule: Schedule;
}

/**
 * Listens for PostgreSQL notifications. A notification only triggers a check that would run a little later anyway:
 * while the connection is lost, changes propagate more slowly, but nothing fails.
 */
export class PostgresListener {
  readonly #options: Options;
  #client: pg.Client | undefined;
  #cancel: () => void = () => undefined;
  #reconnect: () => void = () => undefined;
  #stopped = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Resolves after the first attempt, whether it succeeded or not. */
  async start(delay: number = retryMs.shortest): Promise<void> {
    const { connection, handlers: heard } = this.#options;
    const client = new pg.Client({ ...connection, application_name: 'soku notices' });
    this.#client = client;
    let ended = false;
    const reconnect = () => {
      if (ended || this.#stopped) return;
      ended = true;
      this.#cancel();
      client.end().catch(() => undefined);
      this.#cancel = this.#options.schedule(
        () => void this.start(Math.min(retryMs.longest, delay * 2)),
        delay,
      );
    };
    this.#reconnect = reconnect;
    client.on('error', reconnect);
    client.on('end', reconnect);
    client.on('notification', ({ channel, payload }) => heard[channel]?.(payload ?? ''));
    try {
      await client.connect();
      for (const channel of Object.keys(heard)) await client.query(`LISTEN ${channel}`);
      for (const wake of Object.values(heard)) wake('');
      if (!ended) this.#testLater(client, reconnect);
    } catch {
      reconnect();
    }
  }

  /** Connects again, because the current connection may lead to another server. */
  renew(): void {
    this.#reconnect();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    if (this.#client !== undefined)
      await withTimeout(this.#client.end(), stopTimeoutMs, this.#options.schedule);
  }

  #testLater(client: pg.Client, lost: () => void): void {
    if (this.#stopped) return;
    this.#cancel = this.#options.schedule(async () => {
      try {
        await client.query(connectionTestQuery);
        if (client === this.#client) this.#testLater(client, lost);
      } catch {
        lost();
      }
    }, testInterval);
  }
}
