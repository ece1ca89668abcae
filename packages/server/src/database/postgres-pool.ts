import pg from 'pg';

/**
 * SQL that identifies the server process: it changes with each restart, and differs between a primary and its standby.
 * As a number, because the text of a time depends on settings of the role.
 */
export const serverInstanceSql = 'extract(epoch FROM pg_postmaster_start_time())::text';

/** How long a connection may be idle before its next use tests it, in ms. */
const longestUntested = 1000;

/** How long the test of a connection may take, in ms. */
const testTimeout = 3000;

/** How long a pool opens no further connections when PostgreSQL has none left, in ms. */
const scarcity = 5000;

/** SQLSTATE too_many_connections. */
export const tooManyConnectionsCode = '53300';

type Callback = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  release: (release?: unknown) => void,
) => void;

/**
 * A pool of connections to PostgreSQL, which may break at any time.
 *
 * - A broken connection is replaced, and its current statement fails. The driver also emits an error event, which would
 *   end the process without a listener: on the pool for idle connections, and on the client for a connection in use that
 *   breaks between two statements.
 * - A firewall or proxy can drop connections silently: a statement then gets no response. So connections that
 *   were opened before a response was lost are not reused, and one that was idle for a second is tested first.
 * - When PostgreSQL has no free connections, statements wait for those that the pool has.
 */
export class RenewablePool extends pg.Pool {
  /** Monotonic ms. */
  readonly #openedAt = new WeakMap<pg.PoolClient, number>();
  readonly #heardAt = new WeakMap<pg.PoolClient, number>();
  readonly #most: number;
  /** ms for which a statement waits for a connection that others use when PostgreSQL has no free ones. */
  readonly #timeoutMs: number;
  readonly #isTested: boolean;
  #renewedAt = Number.NEGATIVE_INFINITY;

  /** @param isTested whether to test idle connections; not useful with a short query_timeout */
  constructor(config: pg.PoolConfig, isTested: boolean) {
    super(config);
    this.#most = this.options.max;
    this.#timeoutMs = this.options.connectionTimeoutMillis || Number.POSITIVE_INFINITY;
    this.#isTested = isTested;
    this.on('error', () => undefined);
    this.on('connect', (client) => {
      client.on('error', () => undefined);
      this.#openedAt.set(client, performance.now());
    });
    this.on('release', (error: unknown, client) => {
      this.#heardAt.set(client, performance.now());
      // An error on a connection that was already abandoned says nothing about its replacements.
      if (isSilence(error) && !this.#isOutdated(client)) this.renew();
    });
  }

  /** From now on, does not reuse connections that were opened before this call. */
  renew(): void {
    this.#renewedAt = performance.now();
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(callback: Callback): void;
  // The pool's own query() uses the callback.
  override connect(callback?: Callback): unknown {
    const connected = this.#connect();
    if (callback === undefined) return connected;
    connected.then(
      (client) =>
        callback(undefined, client, (error) => client.release(error !== undefined && error !== false)),
      (error) => callback(error, undefined, () => undefined),
    );
    return undefined;
  }

  async #connect(): Promise<pg.PoolClient> {
    for (;;) {
      const client = await this.#open();
      if (await this.#isUsable(client)) return client;
      client.release(true);
    }
  }

  #isOutdated(client: pg.PoolClient): boolean {
    return (this.#openedAt.get(client) ?? 0) < this.#renewedAt;
  }

  async #open(): Promise<pg.PoolClient> {
    const deadline = performance.now() + this.#timeoutMs;
    for (;;) {
      try {
        return await super.connect();
      } catch (error) {
        // Without another connection there is nothing to wait for.
        if (!isScarce(error) || this.totalCount === 0 || performance.now() > deadline) throw error;
        this.options.max = this.totalCount;
        setTimeout(() => {
          this.options.max = this.#most;
        }, scarcity).unref();
      }
    }
  }

  async #isUsable(client: pg.PoolClient): Promise<boolean> {
    if (this.#isOutdated(client)) return false;
    const idleMs = performance.now() - (this.#heardAt.get(client) ?? performance.now());
    if (!this.#isTested || idleMs < longestUntested) return true;
    try {
      await client.query(connectionTestQuery);
      return true;
    } catch {
      // The other connections have most likely been lost with it.
      this.renew();
      return false;
    }
  }
}

/** Whether a connection was abandoned without a response, rather than after an error of PostgreSQL. */
function isSilence(released: unknown): boolean {
  return released === true || (released instanceof Error && !(released instanceof pg.DatabaseError));
}

function isScarce(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === tooManyConnectionsCode;
}

/** A statement that proves that a connection works. The types of the driver omit the timeout of single statements. */
export const connectionTestQuery: pg.QueryConfig & { query_timeout: number } = {
  text: 'SELECT 1',
  query_timeout: testTimeout,
};

export function createPool(config: pg.PoolConfig, isTested = false): RenewablePool {
  return new RenewablePool(config, isTested);
}

/** For work without time limits, such as a migration or a backup. Roles and databases may have their own timeouts. */
export const disableTimeoutsSql = 'SET statement_timeout = 0; SET lock_timeout = 0';
