import type { MovableClock } from '../support/movable-clock.ts';
import { startWithMovableClock } from '../support/movable-clock.ts';
import { type Postgres, startPostgres } from '../support/postgres.ts';
import { createTemporaryDatabase } from '../support/postgres-database.ts';
import { Notifications } from '../support/postgres-notifications.ts';
import { freePort, type TestServer, testSecret } from '../support/server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { Outage } from './outage.ts';
import { Register } from './register.ts';
import type { Period } from './restrictions.ts';

/** The running process of a node; replaced at a restart. */
interface Running {
  server: TestServer;
  clock: MovableClock;
}

/** One real server process with its own network to the database. */
export class ClusterNode {
  readonly name: string;
  readonly url: string;
  readonly proxy: TcpProxy;
  readonly notifications: Notifications;
  /** The period in which requests to it may fail. */
  readonly outage = new Outage();
  /** ms by which its wall clock is ahead of that of this process. */
  readonly #clockOffset = new Register(0);
  readonly #environment: Record<string, string>;
  #running: Running;

  private constructor(
    name: string,
    proxy: TcpProxy,
    notifications: Notifications,
    environment: Record<string, string>,
    running: Running,
  ) {
    this.name = name;
    this.proxy = proxy;
    this.notifications = notifications;
    this.#environment = environment;
    this.#running = running;
    this.url = running.server.url;
  }

  static async start(name: string, databaseUrl: string, more: Record<string, string>): Promise<ClusterNode> {
    const notifications = new Notifications();
    const proxy = await TcpProxy.before(databaseUrl, { filterToClient: notifications.filter });
    const environment = {
      // The port stays the same, so that clients find the node after a restart.
      PORT: String(await freePort()),
      DATABASE_URL: proxy.url(databaseUrl),
      SOKU_SECRET: testSecret,
      ...more,
    };
    const running = await startWithMovableClock(environment);
    return new ClusterNode(name, proxy, notifications, environment, running);
  }

  /** Moves its wall clock forward or back. */
  async moveClock(ms: number): Promise<void> {
    const move = this.#clockOffset.change(this.#clockOffset.latest + ms, performance.now());
    await this.#running.clock.move(ms);
    move.completed(performance.now());
  }

  /** The times that its wall clock may show now. */
  get clock(): Period {
    const [at, wall] = [performance.now(), Date.now()];
    return this.clockDuring({ sentAt: at, receivedAt: at, wall: { from: wall, to: wall } });
  }

  /** The times that its wall clock may have had during a request. */
  clockDuring({ sentAt, receivedAt, wall }: { sentAt: number; receivedAt: number; wall: Period }): Period {
    const offsets = this.#clockOffset.possible(sentAt, receivedAt).map(({ value }) => value);
    return { from: wall.from + Math.min(...offsets), to: wall.to + Math.max(...offsets) };
  }

  get server(): TestServer {
    return this.#running.server;
  }

  freeze(): void {
    process.kill(this.server.pid, 'SIGSTOP');
  }

  thaw(): void {
    process.kill(this.server.pid, 'SIGCONT');
  }

  async kill(): Promise<void> {
    await this.server.kill('SIGKILL');
  }

  /** Restarts it after `kill()`, on the same port. */
  async restart(): Promise<void> {
    const former = this.server;
    this.#running = await startWithMovableClock(this.#environment);
    await former.stop();
  }

  /** Stops it immediately in any state: an orderly stop would wait for clients to switch to other nodes. */
  async stop(): Promise<void> {
    await this.kill();
    await this.server.stop();
    await this.proxy.close();
  }
}

/** Several nodes on one database of their own PostgreSQL server, which may be crashed. */
export class Cluster {
  readonly postgres: Postgres;
  readonly nodes: readonly ClusterNode[];

  private constructor(postgres: Postgres, nodes: readonly ClusterNode[]) {
    this.postgres = postgres;
    this.nodes = nodes;
  }

  /** @param more environment variables of the nodes */
  static async start(size: number, more: Record<string, string> = {}): Promise<Cluster> {
    const postgres = await startPostgres();
    const nodes: ClusterNode[] = [];
    const cluster = new Cluster(postgres, nodes);
    try {
      const database = await createTemporaryDatabase(postgres.url());
      // Sequentially: the first one creates the tables and the owner's account.
      for (let i = 1; i <= size; i++) nodes.push(await ClusterNode.start(`node ${i}`, database.url, more));
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    await this.postgres.stop();
  }
}
