import { setTimeout as after } from 'node:timers/promises';
import type { Random } from '../support/random.ts';
import { Clients, type NodeClients, pauseMs, type UsedSecret } from './clients.ts';
import { Cluster } from './cluster.ts';
import type { Counts } from './counts.ts';
import { createPolicyKey, type PolicyKey } from './policy-keys.ts';
import { type Rotation, rotate } from './rotation.ts';

/** ms within which the end that a first use sets is in effect on all nodes (docs/rotation.md). */
export const firstUseBoundMs = 5000;

/** No clock jumps. */
const uncertainty = { clockMs: 0, firstUseMs: firstUseBoundMs };

const rotations: readonly Rotation[] = [
  { graceSeconds: 0, startGrace: 'now' },
  { graceSeconds: 1, startGrace: 'now' },
  { graceSeconds: 1, startGrace: 'firstUse' },
];

/** Number of nodes. */
const size = 3;

/** ms before and after an expected end, during which every node verifies the secret again and again. */
const aroundEndMs = 60;
const betweenChecksMs = 10;

interface Options {
  random: Random;
  /** Number of rotations of each kind. */
  count: number;
  /** Number of keys of each kind that are rotated at the same time. */
  keys: number;
  /** Number of clients of each node that verify the secrets of all keys, and ms from a response to their next request. */
  verifiers: number;
  thinkMs: number;
  /** Called now and then with the number of rotations of all kinds. */
  progress: (done: number) => void;
}

/** What was observed of one kind of rotation. */
export interface RotationResult {
  done: number;
  /**
   * The longest time in ms after its due end at which a secret was still accepted; 0 if none was. With a grace from the
   * first use, the time includes the delay until that use is known to all nodes.
   */
  overshootMs: number;
}

export interface RotationProof {
  results: Map<Rotation, RotationResult>;
  counts: Counts;
  ms: number;
}

/** Rotates keys on a cluster without faults, while clients use all of their secrets on all nodes. */
export async function runRotations(options: Options): Promise<RotationProof> {
  const cluster = await Cluster.start(size);
  try {
    const run = new RotationRun(options);
    await run.clients.start(cluster.nodes);
    return await run.run();
  } finally {
    await cluster.stop();
  }
}

class RotationRun {
  readonly clients = new Clients();
  readonly #options: Options;
  readonly #results: Map<Rotation, RotationResult>;
  readonly #keys: PolicyKey[] = [];

  constructor(options: Options) {
    this.#options = options;
    this.#results = new Map(rotations.map((rotation) => [rotation, { done: 0, overshootMs: 0 }]));
  }

  async run(): Promise<RotationProof> {
    const { clients } = this;
    const { keys, count, progress } = this.#options;
    const all = rotations.flatMap((rotation) => Array.from({ length: keys }, () => rotation));
    const created = await Promise.all(all.map(() => createPolicyKey(clients, this.#anyNode())));
    this.#keys.push(...created.filter((key) => key !== undefined));
    const started = performance.now();
    this.#verify();
    const left = new Map(rotations.map((rotation) => [rotation, count]));
    const work = this.#keys.map(async (key, i) => {
      const rotation = all[i];
      for (let n = take(left, rotation); n > 0 && rotation !== undefined; n = take(left, rotation)) {
        if (!(await this.#rotate(key, rotation))) return;
        if (n % 100 === 0) progress(this.#done);
      }
    });
    await Promise.all(work);
    const ms = performance.now() - started;
    await clients.stop();
    return { results: this.#results, counts: clients.counts, ms };
  }

  get #done(): number {
    return [...this.#results.values()].reduce((sum, { done }) => sum + done, 0);
  }

  #anyNode(): NodeClients {
    return this.#options.random.pick(this.clients.ofNodes);
  }

  /** Starts the clients that verify the newest secret of any key, and the one before it. */
  #verify(): void {
    const { verifiers, random, thinkMs } = this.#options;
    for (const one of this.clients.ofNodes) {
      for (let i = 0; i < verifiers; i++) {
        const connection = this.clients.connect(one.node);
        this.clients.repeat(async () => {
          await this.clients.use(one, connection, random.pick(random.pick(this.#keys).secrets));
          await after(thinkMs);
        });
      }
    }
  }

  /** Rotates a key, and follows its older secret until every node rejects it. @returns whether it was rotated */
  async #rotate(key: PolicyKey, rotation: Rotation): Promise<boolean> {
    const result = this.#results.get(rotation);
    if (!(await rotate(this.clients, this.#anyNode(), key, rotation, uncertainty))) return false;
    const [old, next] = key.secrets.slice(-2);
    if (old === undefined || next === undefined || result === undefined) return false;
    key.secrets = [old, next];
    const due = await this.#startEnd(rotation, old, next);
    await this.#useUntil(due - aroundEndMs, key.secrets);
    result.overshootMs = Math.max(result.overshootMs, await this.#overshoot(old, due));
    await this.#useEverywhere(next);
    result.done += 1;
    return true;
  }

  /** @returns epoch ms at which the older secret must end: after that, each acceptance is an overshoot */
  async #startEnd(
    { graceSeconds, startGrace }: Rotation,
    old: UsedSecret,
    next: UsedSecret,
  ): Promise<number> {
    if (startGrace === 'now') return graceSeconds === 0 ? Date.now() : old.history.retiresAt.latest.to;
    await this.#useEverywhere(old);
    const node = this.#anyNode();
    await this.clients.use(node, node.probes, next);
    return Date.now() + graceSeconds * 1000;
  }

  /** Uses secrets now and then until a time in epoch ms. */
  async #useUntil(time: number, secrets: readonly UsedSecret[]): Promise<void> {
    while (Date.now() < time) {
      const node = this.#anyNode();
      await this.clients.use(node, node.probes, this.#options.random.pick(secrets));
      await after(Math.max(0, Math.min(5 * pauseMs, time - Date.now())));
    }
  }

  /**
   * Uses a secret at all nodes until all reject it.
   *
   * @param due epoch ms
   * @returns how long after that time it was still accepted, in ms
   */
  async #overshoot(secret: UsedSecret, due: number): Promise<number> {
    let last = due;
    for (;;) {
      const sentAt = Date.now();
      const outcomes = await this.#useEverywhere(secret);
      if (outcomes.includes('accepted')) last = Math.max(last, sentAt);
      else if (sentAt > due + aroundEndMs) return last - due;
      // Each acceptance so late is a violation. The time shows how bad it is.
      if (sentAt > due + 2 * firstUseBoundMs) return last - due;
      await after(betweenChecksMs);
    }
  }

  async #useEverywhere(secret: UsedSecret): Promise<string[]> {
    const { clients } = this;
    return Promise.all(clients.ofNodes.map((one) => clients.use(one, one.probes, secret)));
  }
}

/** Takes one of the rotations that are left. @returns how many were left; 0: none */
function take(left: Map<Rotation, number>, rotation: Rotation | undefined): number {
  if (rotation === undefined) return 0;
  const n = left.get(rotation) ?? 0;
  left.set(rotation, Math.max(0, n - 1));
  return n;
}
