import { createdKeySchema } from '@soku/contract/keys';
import { generateKey } from '@soku/key';
import {
  bearerField,
  ReconnectingConnection,
  type RoundTrip,
  request,
} from '../test/torture/reconnecting-connection.ts';
import { formatOutcome, judgeVerification, type KnownKey } from './guarantee.ts';
import { type Kind, Tally } from './tally.ts';

/** Requests per second. */
const rates = { verify: 100, create: 4, revoke: 4, recheck: 4, guess: 150 };

/** Keys that are in use at any time, and revoked ones that are still sent. */
const counts = { active: 200, fewest: 100, revoked: 400 };

/** Maximum number of management calls without a response, so that they do not pile up while the database hangs. */
const mostCalls = 40;

/** Where each client seems to be, in addresses that are reserved for documentation. */
const clientField = (n: number) => `X-Forwarded-For: 198.51.100.${1 + (n % 250)}`;
const guesserField = 'X-Forwarded-For: 203.0.113.66';

/** Connections to one address. Each request has one of its own, so that none waits for the response to another. */
class Connections {
  readonly #url: string;
  readonly #idle: ReconnectingConnection[] = [];

  constructor(url: string) {
    this.#url = url;
  }

  async send(text: string): Promise<RoundTrip> {
    const connection = this.#idle.pop() ?? new ReconnectingConnection(this.#url);
    try {
      return await connection.send(text);
    } finally {
      this.#idle.push(connection);
    }
  }

  close(): void {
    for (const connection of this.#idle) connection.close();
  }
}

interface TrafficOptions {
  balancerUrl: string;
  /** The nodes themselves, where revoked keys are checked. */
  nodeUrls: readonly string[];
  /** Keys that may create and revoke others, one of each workspace. */
  managers: readonly string[];
}

/** Clients that send requests at a steady rate through the load balancer, whatever fails. */
export class Traffic {
  /** Counts the requests that are sent from now on. */
  tally = new Tally();
  isGuessing = false;
  readonly #balancer: Connections;
  readonly #nodes: readonly Connections[];
  readonly #managers: readonly string[];
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #active: KnownKey[] = [];
  readonly #unfinished: KnownKey[] = [];
  readonly #revoked: KnownKey[] = [];
  #calls = 0;
  #turn = 0;

  constructor({ balancerUrl, nodeUrls, managers }: TrafficOptions) {
    this.#balancer = new Connections(balancerUrl);
    this.#nodes = nodeUrls.map((url) => new Connections(url));
    this.#managers = managers;
  }

  /** Resolves when there are keys, and requests are sent. */
  async start(signal: AbortSignal): Promise<void> {
    const fill = async (manager: string) => {
      while (this.#active.length < counts.active) {
        signal.throwIfAborted();
        await this.#create(manager);
      }
    };
    await Promise.all(this.#managers.map(fill));
    this.#repeat(rates.verify, () => this.#verify());
    this.#repeat(rates.create, () => this.#createOne());
    this.#repeat(rates.revoke, () => this.#revokeOne());
    this.#repeat(rates.recheck, () => this.#check(this.#next(this.#revoked)));
    this.#repeat(rates.guess, () => (this.isGuessing ? this.#guess() : undefined));
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    for (const connections of [this.#balancer, ...this.#nodes]) connections.close();
  }

  /** The ids of the keys whose revoke has returned. */
  get revokedIds(): readonly string[] {
    return this.#revoked.map(({ id }) => id);
  }

  /** Whether each node, and the load balancer, is ready and accepts a valid key. */
  async isServed(): Promise<boolean> {
    const served = await Promise.all([this.#balancer, ...this.#nodes].map((at) => this.#serves(at)));
    return !served.includes(false);
  }

  async #serves(connections: Connections): Promise<boolean> {
    const key = this.#next(this.#active);
    const ready = await connections.send(request('GET', '/readyz', clientField(this.#turn)));
    if (ready.response?.status !== 200 || key === undefined) return false;
    const verified = await connections.send(verification(key.apiKey, clientField(this.#turn)));
    return verified.response?.status === 204 || key.revokeSentAt !== null;
  }

  #repeat(perSecond: number, step: () => Promise<void> | undefined): void {
    this.#timers.push(setInterval(() => void step(), 1000 / perSecond));
  }

  /** Goes through the values in turn, in an order in which one use does not follow the other. */
  #next(values: readonly KnownKey[]): KnownKey | undefined {
    this.#turn += 1;
    return values[(this.#turn * 7919) % values.length];
  }

  async #verify(): Promise<void> {
    const isOfRevoked = this.#turn % 6 === 0;
    const key = (isOfRevoked ? this.#next(this.#revoked) : undefined) ?? this.#next(this.#active);
    if (key !== undefined) await this.#use(this.#balancer, key);
  }

  /** Verifies a revoked key at each node itself, including frozen ones, which respond when they resume. */
  async #check(key: KnownKey | undefined): Promise<void> {
    if (key !== undefined) await Promise.all(this.#nodes.map((node) => this.#use(node, key, 'check')));
  }

  async #use(connections: Connections, key: KnownKey, as?: Kind): Promise<void> {
    const { tally } = this;
    tally.pending += 1;
    const sent = await connections.send(verification(key.apiKey, clientField(this.#turn)));
    tally.pending -= 1;
    const { kind, label, isFailure, broken } = judgeVerification(key, sent);
    tally.add(as ?? kind, label, sent.receivedAt - sent.sentAt, isFailure);
    if (broken === null) return;
    if (label === '204') tally.acceptedAfterRevoke += 1;
    tally.addBroken(broken);
  }

  async #guess(): Promise<void> {
    const { tally } = this;
    tally.pending += 1;
    const sent = await this.#balancer.send(verification(generateKey(), guesserField));
    tally.pending -= 1;
    const label = formatOutcome(sent.response);
    const isFailure = sent.response === undefined || sent.response.status >= 500;
    tally.add('wrong key', label, sent.receivedAt - sent.sentAt, isFailure);
    if (sent.response !== undefined && sent.response.status < 300)
      tally.addBroken(`a wrong key got ${label}`);
  }

  async #createOne(): Promise<void> {
    this.#turn += 1;
    const manager = this.#managers[this.#turn % this.#managers.length];
    if (manager !== undefined && this.#active.length < counts.active && this.#calls < mostCalls)
      await this.#create(manager);
  }

  async #create(manager: string): Promise<void> {
    const { status, body } = await this.#call('create', manager, '/v1/api-keys', '{"name":"game day"}');
    if (status !== 201) return;
    const { apiKey, key } = createdKeySchema.parse(JSON.parse(body));
    this.#active.push({ id: key.id, apiKey, manager, revokeSentAt: null, revokedAt: null });
  }

  /** Revokes a key. A revoke that failed is repeated, as docs/operations/failures.md says. */
  async #revokeOne(): Promise<void> {
    if (this.#calls >= mostCalls) return;
    const again = this.#unfinished.shift();
    const key = again ?? (this.#active.length > counts.fewest ? this.#active.shift() : undefined);
    if (key === undefined) return;
    key.revokeSentAt ??= performance.now();
    const { status, receivedAt } = await this.#call('revoke', key.manager, `/v1/api-keys/${key.id}/revoke`);
    if (status !== 200) {
      this.#unfinished.push(key);
      return;
    }
    key.revokedAt ??= receivedAt;
    this.#revoked.push(key);
    if (this.#revoked.length > counts.revoked) this.#revoked.shift();
    await this.#check(key);
  }

  async #call(
    kind: Kind,
    manager: string,
    path: string,
    body?: string,
  ): Promise<{ status: number; body: string; receivedAt: number }> {
    const { tally } = this;
    this.#calls += 1;
    tally.pending += 1;
    const fields = `${bearerField(manager)}\r\n${clientField(this.#turn)}`;
    const { sentAt, receivedAt, response } = await this.#balancer.send(request('POST', path, fields, body));
    this.#calls -= 1;
    tally.pending -= 1;
    const isFailure = response === undefined || response.status >= 300;
    tally.add(kind, formatOutcome(response), receivedAt - sentAt, isFailure);
    if (response !== undefined && response.status >= 300 && response.status < 502)
      tally.addBroken(`a ${kind} got ${formatOutcome(response)}`);
    return { status: response?.status ?? 0, body: response?.body ?? '', receivedAt };
  }
}

function verification(apiKey: string, client: string): string {
  return request('GET', '/v1/verify', `${bearerField(apiKey)}\r\n${client}`);
}
