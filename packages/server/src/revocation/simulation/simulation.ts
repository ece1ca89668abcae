import { Adversity } from './adversity.ts';
import { Checker } from './checker.ts';
import { Database, type Notice } from './database.ts';
import { Host } from './host.ts';
import { ModelLink } from './model-link.ts';
import type { Mutation } from './mutation.ts';
import { type ApiKey, apiKeys, Process } from './process.ts';
import { Random } from './random.ts';
import { World } from './world.ts';

const leaseMs = 1000;

/** ms of a schedule, and then without anything new going wrong. */
const length = { adversity: 4 * leaseMs, calm: 2.5 * leaseMs };

/** Far more than a schedule has. */
const mostSteps = 20_000;

/** One schedule: everything in it follows from the seed. */
export class Simulation {
  readonly checker: Checker;
  readonly world: World;
  readonly #random: Random;
  readonly #adversity: Adversity;
  readonly #database: Database;
  readonly #mutation: Mutation | undefined;
  #processes: Process[] = [];
  /** Times at which delays hurt. */
  readonly #rough: number[] = [];
  #ended = false;
  #steps = 0;

  constructor(seed: number, mutation?: Mutation) {
    this.#random = new Random(seed);
    this.#mutation = mutation;
    this.world = new World(this.#random);
    this.#adversity = new Adversity(this.#random, 1.3 * leaseMs);
    this.checker = new Checker(this.#adversity.calm);
    this.#database = new Database(this.world, this.#adversity);
    this.#adversity.roughen(() => this.#rough.some((at) => Math.abs(this.world.now - at) < 20));
    this.#database.notify = (notice) => this.#notify(notice);
    for (let count = 1; count <= this.#adversity.nodes; count += 1) this.#launch(`node ${count}`);
    for (const key of apiKeys) this.#planKey(key);
    this.#planFaults();
  }

  /** Lets one thing happen. What follows from it in promises has to run before the next one. */
  step(): boolean {
    if (this.checker.violation !== undefined) return false;
    this.#steps += 1;
    if (this.#steps > mostSteps) this.checker.fail('it does not end');
    if (this.world.step(length.adversity + length.calm)) return true;
    if (!this.#ended) this.#checkEnd();
    this.#ended = true;
    return false;
  }

  #launch(name: string): void {
    const { world } = this;
    const { rates } = this.#adversity;
    const host = new Host({
      world,
      rate: 1 + (this.#random.chance(0.5) ? rates : 0),
      wallOffset: this.#random.between(-1e5, 1e5),
    });
    const shared = { world, host, database: this.#database, leaseMs };
    const link = new ModelLink({ ...shared, adversity: this.#adversity });
    const process = new Process({ ...shared, name, link, checker: this.checker, mutation: this.#mutation });
    this.#processes = [...this.#processes.filter((other) => other.name !== name), process];
    process.start();
  }

  #notify(notice: Notice): void {
    for (const { host, node } of this.#processes) {
      if (this.#random.chance(this.#adversity.noticesLost)) continue;
      const hear = notice === 'ack' ? () => node.acked() : () => node.wake();
      this.world.after(this.#adversity.travelling(), () => host.deliver(hear));
    }
  }

  /** Clients that use a key on all nodes, before its revoke and during it, and two who revoke it. */
  #planKey(key: ApiKey): void {
    const random = this.#random;
    const at = random.between(0.3 * leaseMs, length.adversity);
    for (const { name } of this.#processes) {
      const times = [
        at - random.between(0, 2 * leaseMs),
        at + random.between(-20, 20),
        at + random.between(0, 2 * leaseMs),
      ];
      for (const time of times) this.#at(name, time, (process) => process.verify(key));
      if (random.chance(0.3)) {
        this.#at(name, at - random.between(0, 40), (process) => void process.rename(key).catch(ignore));
      }
    }
    this.#planRevoke(key, at);
    if (random.chance(0.5)) this.#planRevoke(key, at + random.between(-5, 50));
    if (!this.#adversity.calm && random.chance(0.6)) this.#planTrouble(at);
  }

  /** Makes it hard for one node at the moment of a revoke. */
  #planTrouble(at: number): void {
    const random = this.#random;
    const name = random.pick(this.#processes)?.name ?? '';
    const long = random.between(0.9, 2.2) * leaseMs;
    const begin = at + (random.chance(0.5) ? -long : 0) + random.between(-10, 10);
    if (random.chance(0.3)) {
      this.#rough.push(at);
    }
    if (random.chance(0.5)) this.#at(name, begin, ({ host }) => host.cut(long));
    else this.#at(name, begin, ({ host }) => host.pause(long, this.#adversity.suspends));
  }

  #planRevoke(key: ApiKey, at: number): void {
    const name = this.#random.pick(this.#processes)?.name ?? '';
    this.#at(name, at, (process) => {
      process.host.deliver(() => {
        process.revoke(key, () => this.#probe(key)).catch(ignore);
      });
    });
  }

  /** Asks everybody at once, and once more. */
  #probe(key: ApiKey): void {
    for (const process of this.#processes) {
      process.verify(key);
      this.#at(process.name, this.world.now + this.#random.between(0, 1.5 * leaseMs), (same) =>
        same.verify(key),
      );
    }
  }

  #planFaults(): void {
    const { pauses, suspends, crashes, leaves, wallJumps, restarts, failovers, prunes } = this.#adversity;
    this.#often(pauses, (process) => process.host.pause(this.#random.between(0, 2.5 * leaseMs), suspends));
    // A step back hides a suspension from the fuse, so there is only one of the two.
    const back = suspends ? 0 : -5000;
    this.#often(wallJumps, (process) => process.host.jumpWallClock(this.#random.between(back, 5000)));
    this.#often(crashes, (process) => {
      process.host.alive = false;
      this.world.after(this.#random.between(1, 500), () => this.#launch(process.name));
    });
    this.#often(leaves, (process) => {
      void process.leave();
      this.world.after(this.#random.between(500, 1500), () => {
        process.host.alive = false;
        this.#launch(process.name);
      });
    });
    this.#often(restarts, () => this.#database.restart(failovers));
    this.#often(prunes, () => this.#database.prune(this.#random.chance(0.5) ? 1 : 0));
  }

  #often(count: number, fault: (process: Process) => void): void {
    for (let done = 0; done < count; done += 1) {
      this.world.after(this.#random.between(0, length.adversity), () => {
        const process = this.#random.pick(this.#processes);
        if (process !== undefined) fault(process);
      });
    }
  }

  /** With whatever process has the name then. */
  #at(name: string, time: number, run: (process: Process) => void): void {
    this.world.after(Math.max(0, time - this.world.now), () => {
      const process = this.#processes.find((one) => one.name === name);
      if (process !== undefined) run(process);
    });
  }

  #checkEnd(): void {}
}

function ignore(): void {}
