import { setTimeout as after } from 'node:timers/promises';
import { errorSchema } from '@soku/contract/errors';
import { createdKeySchema, revokedKeySchema } from '@soku/contract/keys';
import type { RawResponse } from '../support/http-socket.ts';
import type { Random } from '../support/random.ts';
import { openSession } from '../support/session.ts';
import { failures, type Outage } from './checker.ts';
import type { ClusterNode } from './cluster.ts';
import { Counts } from './counts.ts';
import { Keys, type TortureKey } from './keys.ts';
import { Lane, type RoundTrip, request } from './lanes.ts';

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
interface Post {
  node: ClusterNode;
  /** A key that may create and revoke others. Each node has its own, because changes by a key lock that key. */
  manager: string;
  /** For verifications whose responses are not awaited. */
  probes: Lane;
  /** For management calls, each of which uses its own connection. */
  idle: Lane[];
}

/** Clients of all nodes: they create, use, rename and revoke keys, and check every response. */
export class Traffic {
  /** Counts the responses from now on. Can be replaced at any time. */
  counts = new Counts();
  readonly keys: Keys;
  readonly #random: Random;
  readonly #load: Load;
  readonly #running = new Set<Promise<void>>();
  readonly #lanes: Lane[] = [];
  #posts: Post[] = [];
  #stopped = false;

  constructor(random: Random, load: Load) {
    this.#random = random;
    this.#load = load;
    this.keys = new Keys(random);
  }

  /** Resolves when all clients run and there are keys to revoke. */
  async start(nodes: readonly ClusterNode[]): Promise<void> {
    for (const node of nodes) this.#posts.push(await this.#open(node));
    const { connections, pipelined, revokers, activeKeys: living } = this.#load;
    for (const post of this.#posts) this.#repeat(() => this.#create(post));
    while (this.keys.livingCount < living) await after(pauseMs);
    for (const post of this.#posts) {
      for (let i = 0; i < connections; i++) {
        const lane = this.#lane(post.node);
        for (let j = 0; j < pipelined; j++) this.#repeat(() => this.#verify(post, lane));
      }
      for (let i = 0; i < revokers; i++) this.#repeat(() => this.#revokeNext(post));
    }
  }

  /** Whether a node serves: it is ready and accepts an active key. */
  async isWell(node: ClusterNode): Promise<boolean> {
    const post = this.#posts.find((one) => one.node === node);
    if (post === undefined) throw new Error(`${node.name} has no clients`);
    const { answer } = await this.#call(post, 'GET', '/readyz');
    return answer?.status === 200 && (await this.#use(post, post.probes, this.keys.living())) === 'accepted';
  }

  /** Sends no new requests; resolves when all have a response, or after a timeout. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const deadline = new AbortController();
    await Promise.race([
      Promise.all(this.#running),
      after(stopTimeoutMs, undefined, { signal: deadline.signal }).then(() =>
        this.counts.violate(`a request got no response within ${stopTimeoutMs / 1000} s of the end`),
      ),
    ]);
    deadline.abort();
    for (const lane of this.#lanes) lane.close();
  }

  async #open(node: ClusterNode): Promise<Post> {
    const owner = await openSession(node.server);
    const { apiKey } = await owner.makeKey({ name: node.name, scopes: ['keys:read', 'keys:write'] });
    return { node, manager: apiKey, probes: this.#lane(node), idle: [] };
  }

  #lane(node: ClusterNode): Lane {
    const lane = new Lane(node.url);
    this.#lanes.push(lane);
    return lane;
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
      (error) => this.counts.violate(`the clients failed: ${error}`),
    );
    this.#running.add(tracked);
    void tracked.then(() => this.#running.delete(tracked));
  }

  async #verify(post: Post, lane: Lane): Promise<void> {
    const outcome = await this.#use(post, lane, this.keys.any());
    await after(failures.has(outcome) ? pauseMs : this.#load.thinkMs);
  }

  async #use({ node }: Post, lane: Lane, key: TortureKey): Promise<string> {
    const { sentAt, answeredAt, answer } = await lane.send(request('GET', '/v1/verify', key.apiKey));
    const outcome = outcomeOf(answer);
    const { counts } = this;
    counts.operations += 1;
    if (outcome === 'accepted') counts.accepted += 1;
    else if (outcome === 'verification_unavailable') counts.unavailable += 1;
    else if (outcome === 'no answer') counts.unanswered += 1;
    else counts.refused += 1;
    const problem = key.life.judge({ sentAt, answeredAt, outcome }, node.outage);
    if (problem !== null) counts.violate(`${node.name}: ${key.id} ${problem}`);
    return outcome;
  }

  /** Verifies at every node now, including stopped ones, which handle the request when they wake up. */
  #probe(key: TortureKey): void {
    for (const post of this.#posts) {
      if (post.probes.underWay < maxProbes) this.#track(this.#use(post, post.probes, key));
    }
  }

  async #create(post: Post): Promise<void> {
    if (this.keys.livingCount >= this.#load.activeKeys) return after(pauseMs);
    const exchanged = await this.#call(post, 'POST', '/v1/api-keys', '{"name":"torture"}');
    if (!this.#succeeded(201, exchanged, 'a creation', this.#outages)) return after(pauseMs);
    this.counts.created += 1;
    const { apiKey, key } = createdKeySchema.parse(JSON.parse(exchanged.answer.body));
    this.#probe(this.keys.add(key.id, apiKey, exchanged.answeredAt));
  }

  /** Revokes one key in a risky way: at two nodes at once, concurrently with a rename, or again. */
  async #revokeNext(post: Post): Promise<void> {
    const begun = performance.now();
    const { unfinishedCount, livingCount } = this.keys;
    const key = unfinishedCount > 0 || livingCount > minActive ? this.keys.nextToRevoke() : undefined;
    if (key !== undefined) {
      if (this.#random.chance(0.2)) this.#track(this.#revoke(this.#random.pick(this.#posts), key));
      if (this.#random.chance(0.15)) this.#track(this.#rename(this.#random.pick(this.#posts), key));
      if (!(await this.#revoke(post, key))) this.keys.recordFailedRevoke(key);
      else if (this.#random.chance(0.1)) this.#track(this.#revoke(this.#random.pick(this.#posts), key));
    }
    await after(Math.max(pauseMs, this.#load.revokePeriodMs - (performance.now() - begun)));
  }

  async #revoke(post: Post, key: TortureKey): Promise<boolean> {
    this.counts.revokesSent += 1;
    key.life.revokeSent(performance.now());
    const exchanged = await this.#call(post, 'POST', `/v1/api-keys/${key.id}/revoke`);
    if (!this.#succeeded(200, exchanged, 'a revoke', [post.node.outage])) return false;
    const { sentAt, answeredAt, answer } = exchanged;
    key.life.revoked(answeredAt);
    this.#probe(key);
    this.keys.recordRevoked(key);
    this.counts.revoked(answeredAt - sentAt, post.node.outage.excuses(exchanged));
    revokedKeySchema.parse(JSON.parse(answer.body));
    return true;
  }

  async #rename(post: Post, key: TortureKey): Promise<void> {
    const name = JSON.stringify({ name: `torture ${this.#random.int(0, 9)}` });
    const exchanged = await this.#call(post, 'PATCH', `/v1/api-keys/${key.id}`, name);
    if (this.#succeeded(200, exchanged, 'a rename', this.#outages)) this.counts.renamed += 1;
  }

  /**
   * The outages of all nodes. Creations and changes by keys lock a row of the workspace, which a failing node may hold,
   * so the others may time out. Revokes and verifications take no lock for which they would wait.
   */
  get #outages(): Outage[] {
    return this.#posts.map(({ node }) => node.outage);
  }

  /** Whether a management call succeeded. A failure must be excused by an outage and have an expected outcome. */
  #succeeded(
    status: number,
    exchanged: RoundTrip,
    what: string,
    outages: readonly Outage[],
  ): exchanged is RoundTrip & { answer: RawResponse } {
    const { answer } = exchanged;
    if (answer?.status === status) return true;
    if (answer === undefined) this.counts.unanswered += 1;
    else this.counts.unavailable += 1;
    const outcome = outcomeOf(answer);
    if (!failures.has(outcome) || !outages.some((outage) => outage.excuses(exchanged))) {
      this.counts.violate(`${what} was answered ${answer?.status} ${outcome}`);
    }
    return false;
  }

  async #call(post: Post, method: string, path: string, body?: string): Promise<RoundTrip> {
    const lane = post.idle.pop() ?? this.#lane(post.node);
    const exchanged = await lane.send(request(method, path, post.manager, body));
    this.counts.operations += 1;
    post.idle.push(lane);
    return exchanged;
  }
}

function outcomeOf(answer: RawResponse | undefined): string {
  if (answer === undefined) return 'no answer';
  if (answer.status < 300) return 'accepted';
  return errorSchema.parse(JSON.parse(answer.body)).error.code;
}
