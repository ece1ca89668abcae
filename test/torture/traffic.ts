import { setTimeout as after } from 'node:timers/promises';
import { errorSchema } from '@soku/contract/errors';
import { createdKeySchema } from '@soku/contract/keys';
import { revokedKeySchema } from '@soku/contract/revocations';
import type { RawResponse } from '../support/http-socket.ts';
import type { Random } from '../support/random.ts';
import { openSession } from '../support/session.ts';
import { failures, type Outage } from './checker.ts';
import type { ClusterNode } from './cluster.ts';
import { Counts } from './counts.ts';
import { Keys, type TortureKey } from './keys.ts';
import { ReconnectingConnection, type RoundTrip, request } from './reconnecting-connection.ts';

/** The load on each node. */
export interface Load {
  /** Number of verifying connections, and of outstanding requests on each. */
  connections: number;
  pipelined: number;
  /** ms from a response to the next request. */
  thinkMs: number;
  /** Number of revoking clients, and the minimum ms between two revokes of each. */
  revokers: number;
  revokePeriodMs: number;
  /** Number of active keys of all nodes together. */
  activeKeys: number;
}

/** ms until a client retries after a failure. */
const pauseMs = 20;

/** ms within which all outstanding requests must get a response at the end: statements time out after 12 s. */
const stopTimeoutMs = 20_000;

/** Minimum number of active keys, below which nothing is revoked: some must remain to be accepted. */
const minActive = 20;

/** Maximum number of verifications that wait for a stopped node. */
const maxProbes = 5000;

/** A node and the resources of its clients. */
interface NodeClients {
  node: ClusterNode;
  /** A key that may create and revoke others. Each node has its own, because changes by a key lock that key. */
  manager: string;
  /** For verifications whose responses are not awaited. */
  probes: ReconnectingConnection;
  /** For management calls, each of which uses its own connection. */
  idle: ReconnectingConnection[];
}

/** Clients of all nodes: they create, use, rename and revoke keys, and check every response. */
export class Traffic {
  /** Counts the responses from now on. Can be replaced at any time. */
  counts = new Counts();
  readonly keys: Keys;
  readonly #random: Random;
  readonly #load: Load;
  readonly #running = new Set<Promise<void>>();
  readonly #connections: ReconnectingConnection[] = [];
  #clients: NodeClients[] = [];
  #stopped = false;

  constructor(random: Random, load: Load) {
    this.#random = random;
    this.#load = load;
    this.keys = new Keys(random);
  }

  /** Resolves when all clients run and there are keys to revoke. */
  async start(nodes: readonly ClusterNode[]): Promise<void> {
    for (const node of nodes) this.#clients.push(await this.#open(node));
    const { connections, pipelined, revokers, activeKeys } = this.#load;
    for (const clients of this.#clients) this.#repeat(() => this.#create(clients));
    while (this.keys.activeCount < activeKeys) await after(pauseMs);
    for (const clients of this.#clients) {
      for (let i = 0; i < connections; i++) {
        const connection = this.#connect(clients.node);
        for (let j = 0; j < pipelined; j++) this.#repeat(() => this.#verify(clients, connection));
      }
      for (let i = 0; i < revokers; i++) this.#repeat(() => this.#revokeNext(clients));
    }
  }

  /** Whether a node serves: it is ready and accepts an active key. */
  async isServing(node: ClusterNode): Promise<boolean> {
    const clients = this.#clients.find((one) => one.node === node);
    if (clients === undefined) throw new Error(`${node.name} has no clients`);
    const { response } = await this.#call(clients, 'GET', '/readyz');
    return (
      response?.status === 200 &&
      (await this.#use(clients, clients.probes, this.keys.randomActive())) === 'accepted'
    );
  }

  /** Sends no new requests; resolves when all have a response, or after a timeout. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const deadline = new AbortController();
    await Promise.race([
      Promise.all(this.#running),
      after(stopTimeoutMs, undefined, { signal: deadline.signal }).then(() =>
        this.counts.addViolation(`a request got no response within ${stopTimeoutMs / 1000} s of the end`),
      ),
    ]);
    deadline.abort();
    for (const connection of this.#connections) connection.close();
  }

  async #open(node: ClusterNode): Promise<NodeClients> {
    const owner = await openSession(node.server);
    const { apiKey } = await owner.createKey({ name: node.name, scopes: ['keys:read', 'keys:write'] });
    return { node, manager: apiKey, probes: this.#connect(node), idle: [] };
  }

  #connect(node: ClusterNode): ReconnectingConnection {
    const connection = new ReconnectingConnection(node.url);
    this.#connections.push(connection);
    return connection;
  }

  #repeat(step: () => Promise<void>): void {
    const run = async () => {
      while (!this.#stopped) await step();
    };
    this.#track(run());
  }

  #track(work: Promise<unknown>): void {
    const tracked = work.then(
      () => undefined,
      (error) => this.counts.addViolation(`the clients failed: ${error}`),
    );
    this.#running.add(tracked);
    void tracked.then(() => this.#running.delete(tracked));
  }

  async #verify(clients: NodeClients, connection: ReconnectingConnection): Promise<void> {
    const outcome = await this.#use(clients, connection, this.keys.randomKey());
    await after(failures.has(outcome) ? pauseMs : this.#load.thinkMs);
  }

  async #use({ node }: NodeClients, connection: ReconnectingConnection, key: TortureKey): Promise<string> {
    const { sentAt, receivedAt, response } = await connection.send(request('GET', '/v1/verify', key.apiKey));
    const outcome = outcomeOf(response);
    const { counts } = this;
    counts.operations += 1;
    if (outcome === 'accepted') counts.accepted += 1;
    else if (outcome === 'verification_unavailable') counts.unavailable += 1;
    else if (outcome === 'no response') counts.noResponse += 1;
    else counts.rejected += 1;
    const problem = key.history.check({ sentAt, receivedAt, outcome }, node.outage);
    if (problem !== null) counts.addViolation(`${node.name}: ${key.id} ${problem}`);
    return outcome;
  }

  /** Verifies at every node now, including stopped ones, which handle the request when they wake up. */
  #probe(key: TortureKey): void {
    for (const clients of this.#clients) {
      if (clients.probes.pending < maxProbes) this.#track(this.#use(clients, clients.probes, key));
    }
  }

  async #create(clients: NodeClients): Promise<void> {
    if (this.keys.activeCount >= this.#load.activeKeys) return after(pauseMs);
    const roundTrip = await this.#call(clients, 'POST', '/v1/api-keys', '{"name":"torture"}');
    if (!this.#succeeded(201, roundTrip, 'a creation', this.#outages)) return after(pauseMs);
    this.counts.created += 1;
    const { apiKey, key } = createdKeySchema.parse(JSON.parse(roundTrip.response.body));
    this.#probe(this.keys.add(key.id, apiKey, roundTrip.receivedAt));
  }

  /** Revokes one key in a risky way: at two nodes at once, concurrently with a rename, or again. */
  async #revokeNext(clients: NodeClients): Promise<void> {
    const started = performance.now();
    const { unfinishedCount, activeCount } = this.keys;
    const key = unfinishedCount > 0 || activeCount > minActive ? this.keys.nextToRevoke() : undefined;
    if (key !== undefined) {
      if (this.#random.chance(0.2)) this.#track(this.#revoke(this.#random.pick(this.#clients), key));
      if (this.#random.chance(0.15)) this.#track(this.#rename(this.#random.pick(this.#clients), key));
      if (!(await this.#revoke(clients, key))) this.keys.recordFailedRevoke(key);
      else if (this.#random.chance(0.1)) this.#track(this.#revoke(this.#random.pick(this.#clients), key));
    }
    await after(Math.max(pauseMs, this.#load.revokePeriodMs - (performance.now() - started)));
  }

  async #revoke(clients: NodeClients, key: TortureKey): Promise<boolean> {
    this.counts.revokesSent += 1;
    key.history.revokeSent(performance.now());
    const roundTrip = await this.#call(clients, 'POST', `/v1/api-keys/${key.id}/revoke`);
    if (!this.#succeeded(200, roundTrip, 'a revoke', [clients.node.outage])) return false;
    const { sentAt, receivedAt, response } = roundTrip;
    key.history.revoked(receivedAt);
    this.#probe(key);
    this.keys.recordRevoked(key);
    this.counts.revoked(receivedAt - sentAt, clients.node.outage.excuses(roundTrip));
    revokedKeySchema.parse(JSON.parse(response.body));
    return true;
  }

  async #rename(clients: NodeClients, key: TortureKey): Promise<void> {
    const name = JSON.stringify({ name: `torture ${this.#random.int(0, 9)}` });
    const roundTrip = await this.#call(clients, 'PATCH', `/v1/api-keys/${key.id}`, name);
    if (this.#succeeded(200, roundTrip, 'a rename', this.#outages)) this.counts.renamed += 1;
  }

  /**
   * The outages of all nodes. Creations and changes by keys lock a row of the workspace, which a failing node may hold,
   * so the others may time out. Revokes and verifications take no lock for which they would wait.
   */
  get #outages(): Outage[] {
    return this.#clients.map(({ node }) => node.outage);
  }

  /** Whether a management call succeeded. A failure must be excused by an outage and have an expected outcome. */
  #succeeded(
    status: number,
    roundTrip: RoundTrip,
    what: string,
    outages: readonly Outage[],
  ): roundTrip is RoundTrip & { response: RawResponse } {
    const { response } = roundTrip;
    if (response?.status === status) return true;
    if (response === undefined) this.counts.noResponse += 1;
    else this.counts.unavailable += 1;
    const outcome = outcomeOf(response);
    if (!failures.has(outcome) || !outages.some((outage) => outage.excuses(roundTrip))) {
      this.counts.addViolation(`${what} returned ${response?.status} ${outcome}`);
    }
    return false;
  }

  async #call(clients: NodeClients, method: string, path: string, body?: string): Promise<RoundTrip> {
    const connection = clients.idle.pop() ?? this.#connect(clients.node);
    const roundTrip = await connection.send(request(method, path, clients.manager, body));
    this.counts.operations += 1;
    clients.idle.push(connection);
    return roundTrip;
  }
}

function outcomeOf(response: RawResponse | undefined): string {
  if (response === undefined) return 'no response';
  if (response.status < 300) return 'accepted';
  return errorSchema.parse(JSON.parse(response.body)).error.code;
}
