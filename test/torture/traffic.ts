import { setTimeout as after } from 'node:timers/promises';
import { errorSchema } from '@soku/contract/errors';
import { createdKeySchema, revokedKeySchema } from '@soku/contract/keys';
import type { RawAnswer } from '../support/http-socket.ts';
import type { Random } from '../support/random.ts';
import { openSession } from '../support/session.ts';
import { failures, type Outage } from './checker.ts';
import type { ClusterNode } from './cluster.ts';
import { Counts } from './counts.ts';
import { Keys, type TortureKey } from './keys.ts';
import { type Exchanged, Lane, request } from './lanes.ts';

/** How much is asked of each node at once. */
export interface Load {
  /** Connections that verify, and requests that each has under way. */
  connections: number;
  pipelined: number;
  /** From an answer to the next request. */
  thinkMs: number;
  /** How many revoke, each of them at most once in so many ms. */
  revokers: number;
  revokePeriodMs: number;
  /** Keys that live, of all nodes together. */
  living: number;
}

/** ms until somebody who was answered with a failure asks again. */
const pauseMs = 20;

/** ms in which everything that is under way at the end must be answered: statements are given up after 12 s. */
const farewellMs = 20_000;

/** Below so many living keys nothing is revoked: some must be there to be accepted. */
const leastLiving = 20;

/** Verifications that wait for a node that stands still. */
const mostProbes = 5000;

/** A node, and what its clients have. */
interface Post {
  node: ClusterNode;
  /** A key that may make and revoke others. Each node its own: changes that a key makes lock that key. */
  manager: string;
  /** For verifications whose answers nobody waits for. */
  probes: Lane;
  /** For management calls, each of which has a connection alone. */
  idle: Lane[];
}

/** Clients of all nodes: they make, use, rename and revoke keys, and judge each answer. */
export class Traffic {
  /** Of what is answered from now on. To be replaced at any time. */
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

  /** Resolves when all is under way, and there are keys to revoke. */
  async start(nodes: readonly ClusterNode[]): Promise<void> {
    for (const node of nodes) this.#posts.push(await this.#open(node));
    const { connections, pipelined, revokers, living } = this.#load;
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

  /** Whether a node serves: ready, and accepts a key that lives. */
  async isWell(node: ClusterNode): Promise<boolean> {
    const post = this.#posts.find((one) => one.node === node);
    if (post === undefined) throw new Error(`${node.name} has no clients`);
    const { answer } = await this.#call(post, 'GET', '/readyz');
    return answer?.status === 200 && (await this.#use(post, post.probes, this.keys.living())) === 'accepted';
  }

  /** Sends nothing new; resolves when everything was answered, or it is clear that something never will be. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const deadline = new AbortController();
    await Promise.race([
      Promise.all(this.#running),
      after(farewellMs, undefined, { signal: deadline.signal }).then(() =>
        this.counts.violate(`something was not answered within ${farewellMs / 1000} s of the end`),
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

  /** Asks every node at once, those that stand still as well: they find it when they wake up. */
  #probe(key: TortureKey): void {
    for (const post of this.#posts) {
      if (post.probes.underWay < mostProbes) this.#track(this.#use(post, post.probes, key));
    }
  }

  async #create(post: Post): Promise<void> {
    if (this.keys.livingCount >= this.#load.living) return after(pauseMs);
    const exchanged = await this.#call(post, 'POST', '/v1/api-keys', '{"name":"torture"}');
    if (!this.#succeeded(201, exchanged, 'a creation', this.#outages)) return after(pauseMs);
    this.counts.created += 1;
    const { apiKey, key } = createdKeySchema.parse(JSON.parse(exchanged.answer.body));
    this.#probe(this.keys.add(key.id, apiKey, exchanged.answeredAt));
  }

  /** One key, in one of the ways in which it can go wrong: at two nodes at once, with a rename beside it, again. */
  async #revokeNext(post: Post): Promise<void> {
    const begun = performance.now();
    const { unfinishedCount, livingCount } = this.keys;
    const key = unfinishedCount > 0 || livingCount > leastLiving ? this.keys.condemn() : undefined;
    if (key !== undefined) {
      if (this.#random.chance(0.2)) this.#track(this.#revoke(this.#random.pick(this.#posts), key));
      if (this.#random.chance(0.15)) this.#track(this.#rename(this.#random.pick(this.#posts), key));
      if (!(await this.#revoke(post, key))) this.keys.failed(key);
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
    this.keys.bury(key);
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
   * Of all nodes. Keys make and change others with a row of the workspace locked, and a node that fails may have it:
   * the others then wait for longer than they may. Revokes and verifications lock nothing that they could wait for.
   */
  get #outages(): Outage[] {
    return this.#posts.map(({ node }) => node.outage);
  }

  /** Whether a management call did what it should. If not, that must be excused, and told as it should be. */
  #succeeded(
    status: number,
    exchanged: Exchanged,
    what: string,
    outages: readonly Outage[],
  ): exchanged is Exchanged & { answer: RawAnswer } {
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

  async #call(post: Post, method: string, path: string, body?: string): Promise<Exchanged> {
    const lane = post.idle.pop() ?? this.#lane(post.node);
    const exchanged = await lane.send(request(method, path, post.manager, body));
    this.counts.operations += 1;
    post.idle.push(lane);
    return exchanged;
  }
}

function outcomeOf(answer: RawAnswer | undefined): string {
  if (answer === undefined) return 'no answer';
  if (answer.status < 300) return 'accepted';
  return errorSchema.parse(JSON.parse(answer.body)).error.code;
}
