import { setTimeout as after } from 'node:timers/promises';
import type { Random } from '../support/random.ts';
import { type Clients, type NodeClients, outcomeOf, pauseMs } from './clients.ts';
import { hourMs } from './faults.ts';
import { type FieldChange, randomChanges, randomUse } from './policy-changes.ts';
import { createPolicyKey, type PolicyKey } from './policy-keys.ts';
import type { ReconnectingConnection, RoundTrip } from './reconnecting-connection.ts';
import { never } from './restrictions.ts';
import { type Rotation, retire, rotate } from './rotation.ts';

interface Options {
  /** Number of clients of each node that change policies, and the minimum ms between two changes of each. */
  changers: number;
  changePeriodMs: number;
}

/** Maximum number of revoked keys that are still used. */
const maxRevoked = 50;

/** Maximum number of rotations of a key: it can have five secrets that are not retired. */
const maxRotations = 3;

/** Graces that end while the key is still used, and some that do not, so that a later rotation could extend them. */
const rotations: readonly Rotation[] = [
  { graceSeconds: 0, startGrace: 'now' },
  { graceSeconds: 1, startGrace: 'now' },
  { graceSeconds: 60, startGrace: 'now' },
  { graceSeconds: 3600, startGrace: 'now' },
  { graceSeconds: 1, startGrace: 'firstUse' },
];

/** During a fault, a clock can jump, and a failing node can delay the end that a first use sets. */
const uncertainty = { clockMs: hourMs, firstUseMs: Number.POSITIVE_INFINITY };

/** Minimum and maximum number of changes of a key before it is revoked. */
const changesPerKey = { min: 5, max: 20 };

/** How a call ended that may be sent again. */
type Outcome = 'done' | 'rejected' | 'lost';

/** Clients that change what keys may do, and use these keys. Each client has one key at a time. */
export class PolicyTraffic {
  readonly #random: Random;
  readonly #clients: Clients;
  readonly #options: Options;
  #keys: PolicyKey[] = [];
  #revoked: PolicyKey[] = [];

  constructor(random: Random, clients: Clients, options: Options) {
    this.#random = random;
    this.#clients = clients;
    this.#options = options;
  }

  /** Resolves when all clients run and each has a key. */
  async start(): Promise<void> {
    const { ofNodes } = this.#clients;
    for (const clients of ofNodes) {
      for (let i = 0; i < this.#options.changers; i++) this.#clients.repeat(() => this.#live(clients));
    }
    while (this.#keys.length < ofNodes.length * this.#options.changers) await after(pauseMs);
  }

  /** Verifies a random key in a random way. @returns the outcome */
  async use(clients: NodeClients, connection: ReconnectingConnection): Promise<string> {
    // While no node can create keys, all may be revoked.
    const usesRevoked = this.#keys.length === 0 || (this.#revoked.length > 0 && this.#random.chance(0.1));
    const keys = usesRevoked ? this.#revoked : this.#keys;
    const secret = this.#random.pick(this.#random.pick(keys).secrets);
    return this.#clients.use(clients, connection, secret, randomUse(this.#random));
  }

  /** The life of one key, which is revoked at the end, possibly during its last change. */
  async #live(clients: NodeClients): Promise<void> {
    const key = await createPolicyKey(this.#clients, clients);
    if (key === undefined) return after(pauseMs);
    this.#keys.push(key);
    const changes = this.#random.int(changesPerKey.min, changesPerKey.max);
    // A change whose response was lost may take effect again, later, and undo another one. So it is the last one.
    let isCertain = true;
    for (let i = 0; i < changes && isCertain && !this.#clients.isStopped; i++) {
      const started = performance.now();
      isCertain = await this.#step(clients, key);
      await after(Math.max(pauseMs, this.#options.changePeriodMs - (performance.now() - started)));
    }
    if (isCertain && this.#random.chance(0.3)) {
      this.#clients.track(this.#change(this.#random.pick(this.#clients.ofNodes), key));
    }
    await this.#end(clients, key);
  }

  /** @returns whether the outcome is certain */
  async #step(clients: NodeClients, key: PolicyKey): Promise<boolean> {
    const isRotatable = key.history.expiresAt.latest === never && key.rotations < maxRotations;
    if (isRotatable && this.#random.chance(0.2)) {
      return rotate(this.#clients, clients, key, this.#random.pick(rotations), uncertainty);
    }
    if (key.rotations > 0 && this.#random.chance(0.05)) return retire(this.#clients, clients, key);
    return this.#change(clients, key);
  }

  /**
   * Changes a key, at two nodes at once at times. The second change then changes nothing, and must not return before the
   * first one is in effect.
   *
   * @returns whether the outcome is certain
   */
  async #change(clients: NodeClients, key: PolicyKey): Promise<boolean> {
    const fields = randomChanges(key.history, this.#random);
    const sentAt = performance.now();
    const changes = fields.map((field) => field.begin(sentAt));
    const completed = (at: number) => {
      for (const change of changes) change.completed(at);
      for (const { use } of fields) for (const secret of key.secrets) this.#clients.probe(secret, use);
    };
    const also = this.#random.chance(0.25) ? [this.#random.pick(this.#clients.ofNodes)] : [];
    const sent = [clients, ...also].map((one) => this.#send(one, key, fields, completed));
    const outcomes = await Promise.all(sent);
    if (outcomes.every((outcome) => outcome === 'rejected')) for (const change of changes) change.withdrawn();
    return !outcomes.includes('lost');
  }

  /** Sends a change until it gets a response. @param completed called when it returned 200 */
  async #send(
    clients: NodeClients,
    key: PolicyKey,
    fields: readonly FieldChange[],
    completed: (at: number) => void,
  ): Promise<Outcome> {
    const body = JSON.stringify(Object.assign({}, ...fields.map((field) => field.body)));
    const path = `/v1/api-keys/${key.id}`;
    const roundTrip = await this.#clients.call(clients, { method: 'PATCH', path, body, by: 'owner' });
    if (isRejected(roundTrip, clients, key, fields)) return 'rejected';
    if (this.#clients.succeeded(200, roundTrip, 'a change', this.#clients.outages)) {
      const { sentAt, receivedAt } = roundTrip;
      completed(receivedAt);
      for (const { kind } of fields) this.#clients.counts.changed(kind, receivedAt - sentAt);
      return 'done';
    }
    await after(pauseMs);
    if (!this.#clients.isStopped) {
      await this.#send(this.#random.pick(this.#clients.ofNodes), key, fields, completed);
    }
    return 'lost';
  }

  async #end(clients: NodeClients, key: PolicyKey): Promise<void> {
    while (!(await this.#revoke(clients, key)) && !this.#clients.isStopped) await after(pauseMs);
    this.#keys = this.#keys.filter((other) => other !== key);
    this.#revoked = [...this.#revoked, key].slice(-maxRevoked);
  }

  async #revoke(clients: NodeClients, { id, history, secrets }: PolicyKey): Promise<boolean> {
    this.#clients.counts.revokesSent += 1;
    const change = history.isRevoked.change(true, performance.now());
    const path = `/v1/api-keys/${id}/revoke`;
    const roundTrip = await this.#clients.call(clients, { method: 'POST', path, by: 'owner' });
    if (!this.#clients.succeeded(200, roundTrip, 'a revoke', this.#clients.outages)) return false;
    const { sentAt, receivedAt } = roundTrip;
    change.completed(receivedAt);
    for (const secret of secrets) this.#clients.probe(secret);
    this.#clients.counts.revoked(receivedAt - sentAt, clients.node.outage.excuses(roundTrip));
    return true;
  }
}

/** Whether a change was rejected as it must be: the key is revoked, or would already have expired. */
function isRejected(
  roundTrip: RoundTrip,
  { node }: NodeClients,
  { history }: PolicyKey,
  fields: readonly FieldChange[],
): boolean {
  const outcome = outcomeOf(roundTrip.response);
  if (outcome === 'key_revoked') return history.isRevoked.latest;
  const { to } = node.clockDuring(roundTrip);
  return outcome === 'invalid_request' && fields.some(({ validUntil }) => validUntil <= to);
}
