import { setTimeout as after } from 'node:timers/promises';
import { createdKeySchema } from '@soku/contract/keys';
import { revokedKeySchema } from '@soku/contract/revocations';
import type { Random } from '../support/random.ts';
import { failures } from './checker.ts';
import { Clients, type NodeClients, pauseMs, type UsedSecret } from './clients.ts';
import type { ClusterNode } from './cluster.ts';
import { Keys } from './keys.ts';
import { PolicyTraffic } from './policy-traffic.ts';
import type { ReconnectingConnection } from './reconnecting-connection.ts';

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
  /** Number of clients that change policies and rotate keys, and the minimum ms between two changes of each. */
  changers: number;
  changePeriodMs: number;
}

/** Minimum number of active keys, below which nothing is revoked: some must remain to be accepted. */
const minActive = 20;

/** Clients of all nodes: they create, use, rename, change, rotate and revoke keys, and check every response. */
export class Traffic {
  readonly clients = new Clients();
  readonly #keys: Keys;
  readonly #policies: PolicyTraffic;
  readonly #random: Random;
  readonly #load: Load;

  constructor(random: Random, load: Load) {
    this.#random = random;
    this.#load = load;
    this.#keys = new Keys(random);
    this.#policies = new PolicyTraffic(random, this.clients, load);
  }

  /** Resolves when all clients run and there are keys to revoke. */
  async start(nodes: readonly ClusterNode[]): Promise<void> {
    const { clients } = this;
    await clients.start(nodes);
    const { connections, pipelined, revokers, activeKeys } = this.#load;
    for (const one of clients.ofNodes) clients.repeat(() => this.#create(one));
    while (this.#keys.activeCount < activeKeys) await after(pauseMs);
    await this.#policies.start();
    for (const one of clients.ofNodes) {
      for (let i = 0; i < connections; i++) {
        const connection = clients.connect(one.node);
        for (let j = 0; j < pipelined; j++) clients.repeat(() => this.#verify(one, connection));
      }
      for (let i = 0; i < revokers; i++) clients.repeat(() => this.#revokeNext(one));
    }
  }

  /** Whether a node serves: it is ready and accepts an active key. */
  async isServing(node: ClusterNode): Promise<boolean> {
    const clients = this.clients.ofNodes.find((one) => one.node === node);
    if (clients === undefined) throw new Error(`${node.name} has no clients`);
    const { response } = await this.clients.call(clients, { method: 'GET', path: '/readyz', by: 'manager' });
    return (
      response?.status === 200 &&
      (await this.clients.use(clients, clients.probes, this.#keys.randomActive())) === 'accepted'
    );
  }

  async #verify(clients: NodeClients, connection: ReconnectingConnection): Promise<void> {
    const outcome = this.#random.chance(0.5)
      ? await this.#policies.use(clients, connection)
      : await this.clients.use(clients, connection, this.#keys.randomKey());
    await after(failures.has(outcome) ? pauseMs : this.#load.thinkMs);
  }

  async #create(clients: NodeClients): Promise<void> {
    if (this.#keys.activeCount >= this.#load.activeKeys) return after(pauseMs);
    const body = '{"name":"torture"}';
    const path = '/v1/api-keys';
    const roundTrip = await this.clients.call(clients, { method: 'POST', path, body, by: 'manager' });
    if (!this.clients.succeeded(201, roundTrip, 'a creation', this.clients.outages)) return after(pauseMs);
    this.clients.counts.created += 1;
    const { apiKey, key } = createdKeySchema.parse(JSON.parse(roundTrip.response.body));
    this.clients.probe(this.#keys.add(key.id, apiKey, roundTrip.receivedAt));
  }

  /** Revokes one key in a risky way: at two nodes at once, concurrently with a rename, or again. */
  async #revokeNext(clients: NodeClients): Promise<void> {
    const started = performance.now();
    const { unfinishedCount, activeCount } = this.#keys;
    const key = unfinishedCount > 0 || activeCount > minActive ? this.#keys.nextToRevoke() : undefined;
    if (key !== undefined) {
      const anyClients = () => this.#random.pick(this.clients.ofNodes);
      if (this.#random.chance(0.2)) this.clients.track(this.#revoke(anyClients(), key));
      if (this.#random.chance(0.15)) this.clients.track(this.#rename(anyClients(), key));
      if (!(await this.#revoke(clients, key))) this.#keys.recordFailedRevoke(key);
      else if (this.#random.chance(0.1)) this.clients.track(this.#revoke(anyClients(), key));
    }
    await after(Math.max(pauseMs, this.#load.revokePeriodMs - (performance.now() - started)));
  }

  async #revoke(clients: NodeClients, key: UsedSecret): Promise<boolean> {
    this.clients.counts.revokesSent += 1;
    const change = key.history.key.isRevoked.change(true, performance.now());
    const path = `/v1/api-keys/${key.id}/revoke`;
    const roundTrip = await this.clients.call(clients, { method: 'POST', path, by: 'manager' });
    if (!this.clients.succeeded(200, roundTrip, 'a revoke', [clients.node.outage])) return false;
    const { sentAt, receivedAt, response } = roundTrip;
    change.completed(receivedAt);
    this.clients.probe(key);
    this.#keys.recordRevoked(key);
    this.clients.counts.revoked(receivedAt - sentAt, clients.node.outage.excuses(roundTrip));
    revokedKeySchema.parse(JSON.parse(response.body));
    return true;
  }

  async #rename(clients: NodeClients, key: UsedSecret): Promise<void> {
    const body = JSON.stringify({ name: `torture ${this.#random.int(0, 9)}` });
    const path = `/v1/api-keys/${key.id}`;
    const roundTrip = await this.clients.call(clients, { method: 'PATCH', path, body, by: 'manager' });
    if (this.clients.succeeded(200, roundTrip, 'a rename', this.clients.outages))
      this.clients.counts.renamed += 1;
  }
}
