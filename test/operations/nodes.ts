import { rmSync } from 'node:fs';
import pg from 'pg';
import { z } from 'zod';
import { call } from '../support/person.ts';
import { createTemporaryDatabase, type TemporaryDatabase } from '../support/postgres-database.ts';
import { readyDatabase } from '../support/ready-data.ts';
import {
  freePort,
  newDataDir,
  onePublicUrl,
  startServer,
  type TestServer,
  testSecret,
} from '../support/server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

type Environment = Record<string, string | undefined>;

const readinessSchema = z.object({
  status: z.string(),
  node: z.string(),
  lease: z.object({ remainingMs: z.number() }),
  feed: z.object({ appliedSeq: z.number(), lag: z.number() }),
});

/** The response of GET /v1/nodes. */
export const nodeListSchema = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      self: z.boolean(),
      state: z.string(),
      lag: z.number(),
      silentMs: z.number(),
      lease: z.object({ remainingMs: z.number() }).nullable(),
    }),
  ),
});

/** A process of a deployment, which keeps its port, data directory and network when it restarts. */
export class DeployedNode {
  readonly network: TcpProxy;
  readonly #env: Environment;
  readonly #dataDir = newDataDir();
  #server: TestServer | undefined;

  private constructor(network: TcpProxy, env: Environment) {
    this.network = network;
    this.#env = env;
  }

  static async create(databaseUrl: string, env: Environment): Promise<DeployedNode> {
    const network = await TcpProxy.before(databaseUrl);
    return new DeployedNode(network, {
      PORT: String(await freePort()),
      DATABASE_URL: network.url(databaseUrl),
      SOKU_SECRET: testSecret,
      ...onePublicUrl,
      ...env,
    });
  }

  async start(): Promise<void> {
    this.#server = await startServer({ database: 'sqlite', dataDir: this.#dataDir, env: this.#env });
  }

  get server(): TestServer {
    if (this.#server === undefined) throw new Error('the node was not started');
    return this.#server;
  }

  get url(): string {
    return `http://localhost:${this.#env.PORT}`;
  }

  async readiness() {
    const { status, body } = await call(`${this.url}/readyz`);
    return { code: status, ...readinessSchema.parse(body) };
  }

  async remove(): Promise<void> {
    await this.#server?.kill('SIGKILL');
    await this.network.close();
    rmSync(this.#dataDir, { recursive: true, force: true });
  }
}

/** Several processes that share a database, each with its own network to it. */
export class Deployment {
  readonly nodes: readonly DeployedNode[];
  readonly #database: TemporaryDatabase;

  private constructor(nodes: readonly DeployedNode[], database: TemporaryDatabase) {
    this.nodes = nodes;
    this.#database = database;
  }

  /** Starts the first process, which creates tables and account if the database has none, and then the others. */
  static async start(size: number, env: Environment = {}): Promise<Deployment> {
    const { database } = await readyDatabase();
    return Deployment.#start(size, env, database, async ([first, ...others]) => {
      await first?.start();
      await Promise.all(others.map((node) => node.start()));
    });
  }

  /** Starts all processes at the same time, on an empty database. */
  static async startAtOnce(size: number, env: Environment = {}): Promise<Deployment> {
    return Deployment.#start(size, env, await createTemporaryDatabase(), (nodes) =>
      Promise.all(nodes.map((node) => node.start())),
    );
  }

  static async #start(
    size: number,
    env: Environment,
    database: TemporaryDatabase,
    startAll: (nodes: DeployedNode[]) => Promise<unknown>,
  ): Promise<Deployment> {
    const nodes = await Promise.all(
      Array.from({ length: size }, () => DeployedNode.create(database.url, env)),
    );
    const deployment = new Deployment(nodes, database);
    try {
      await startAll(nodes);
      return deployment;
    } catch (error) {
      await deployment.stop();
      throw error;
    }
  }

  /** Queries the database directly. */
  async query(sql: string): Promise<unknown[]> {
    const client = new pg.Client({ connectionString: this.#database.url });
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  }

  /** Runs `work` while a table is locked against all other access. */
  async whileLocked<T>(table: string, work: () => Promise<T>): Promise<T> {
    return this.#whileHeld(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`, work);
  }

  /** Runs `work` while commands that lock the row of their workspace wait. Others proceed, foreign keys included. */
  async whileWorkspacesLocked<T>(work: () => Promise<T>): Promise<T> {
    return this.#whileHeld('SELECT FROM workspace FOR NO KEY UPDATE', work);
  }

  async #whileHeld<T>(lock: string, work: () => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: this.#database.url });
    await client.connect();
    try {
      await client.query(`BEGIN; ${lock}`);
      return await work();
    } finally {
      await client.end();
    }
  }

  node(index: number): DeployedNode {
    const node = this.nodes[index];
    if (node === undefined) throw new Error(`there is no node ${index}`);
    return node;
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.remove()));
    await this.#database.drop();
  }
}
