import { Checker } from './checker.ts';
import { Database, type Notice } from './database.ts';
import { FaultInjector } from './fault-injector.ts';
import { Host } from './host.ts';
import type { Mutation } from './mutation.ts';
import { type ApiKey, apiKeys, Process } from './process.ts';
import { Random } from './random.ts';
import { SimulatedClusterStore } from './simulated-cluster-store.ts';
import { World } from './world.ts';

export const leaseMs = 1000;

/** ms during which faults start, and ms after which everything must have ended. */
const length = { faultInjector: 4 * leaseMs, all: 10 * leaseMs };

/** The states for which an adversary waits. */
type Observable = 'hasRow' | 'hasLosableHead' | 'hasCachedLosable';

/** Far more steps than a schedule has. */
const maxSteps = 20_000;

/** One schedule, fully determined by its seed. */
export class Simulation {
  readonly checker: Checker;
  readonly world: World;
  readonly #seed: number;
  readonly #random: Random;
  readonly #faultInjector: FaultInjector;
  readonly #database: Database;
  readonly #mutation: Mutation | undefined;
  #processes: Process[] = [];
  /** Times at which delays are most likely to expose a mistake. */
  readonly #critical: number[] = [];
  /** Number of planned events that have not happened yet. */
  #planned = 0;
  /** Keys whose revoke has returned. */
  readonly #revoked = new Set<ApiKey>();
  #steps = 0;

  constructor(seed: number, mutation?: Mutation) {
    this.#seed = seed;
    this.#random = new Random(seed);
    this.#mutation = mutation;
    this.world = new World(this.#random);
    this.#faultInjector = new FaultInjector(this.#random, 1.3 * leaseMs);
    this.checker = new Checker(this.#faultInjector.mode === 'none');
    this.#database = new Database(this.world, this.#faultInjector);
    this.#faultInjector.delayWhen(() => this.#critical.some((at) => Math.abs(this.world.now - at) < 20));
    this.#database.notify = (notice) => this.#notify(notice);
    for (let count = 1; count <= this.#faultInjector.nodes; count += 1) this.#launch(`node ${count}`);
    for (const key of apiKeys) this.#planKey(key);
    this.#planMalice();
    this.#planFaults();
    this.world.after(1.5 * length.faultInjector, () => this.#faultInjector.end());
  }

  /** Runs one event. Promises that it settles must run before the next step. */
  step(): boolean {
    this.#probeCachedRevokedKeys();
    if (this.checker.violation !== undefined) return false;
    this.#steps += 1;
    if (this.#steps > maxSteps) this.checker.fail('the schedule does not end');
    if (this.#isOver) return false;
    if (this.world.step(length.all)) return true;
    this.#checkEnd();
    return false;
  }

  /** Verifies whenever a node might accept a revoked key from its cache, however briefly. */
  #probeCachedRevokedKeys(): void {
    for (const key of this.#revoked) {
      for (const process of this.#processes) {
        if (process.acceptsFromCache(key)) process.verify(key);
      }
    }
  }

  /** Whether the schedule ends early. Every tenth one runs until all activity must have ended. */
  get #isOver(): boolean {
    if (this.#seed % 10 === 0 || this.#planned > 0) return false;
    return this.#processes.every(({ revoking }) => revoking === 0);
  }

  #checkEnd(): void {
    for (const { name, revoking, isUpToDate } of this.#processes) {
      if (revoking > 0) this.checker.fail(`a revoke on ${name} never returned`);
      if (!isUpToDate) this.checker.fail(`${name} never caught up`);
    }
  }

  #launch(name: string): void {
    const { world } = this;
    const { rates } = this.#faultInjector;
    const host = new Host({
      world,
      rate: 1 + (this.#random.chance(0.5) ? rates : 0),
      wallOffset: this.#random.between(-1e5, 1e5),
    });
    const shared = { world, host, database: this.#database, leaseMs };
    const store = new SimulatedClusterStore({ ...shared, faultInjector: this.#faultInjector });
    const process = new Process({ ...shared, name, store, checker: this.checker, mutation: this.#mutation });
    this.#processes = [...this.#processes.filter((other) => other.name !== name), process];
    process.start();
  }

  #notify(notice: Notice): void {
    for (const { host, node } of this.#processes) {
      if (this.#faultInjector.losesNotification()) continue;
      const receive = notice === 'change' ? () => node.wake() : () => node.onAcknowledgment(notice);
      this.world.after(this.#faultInjector.transitMs(), () => host.deliver(receive));
    }
  }

  /** Plans clients that use a key on all nodes, before, during and after its revoke, and one or two revokes. */
  #planKey(key: ApiKey): void {
    const random = this.#random;
    const at = random.between(0.3 * leaseMs, length.faultInjector);
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
    if (this.#faultInjector.mode === 'random' && random.chance(0.6)) this.#planTrouble(at);
  }

  /** Plans one fault at the worst moment. */
  #planMalice(): void {
    const random = this.#random;
    const key = random.pickAny(apiKeys);
    if (this.#faultInjector.mode !== 'targeted' || key === undefined) return;
    const at = random.between(2 * leaseMs, length.faultInjector);
    const scenario = random.next();
    if (scenario < 0.4) this.#planSleeper(key, at);
    else if (scenario < 0.7) this.#planFailover(key, at);
    else {
      this.#planTrouble(at);
      this.#planRevoke(key, at);
    }
  }

  /** Plans a cut or a pause of one node around the time of a revoke. */
  #planTrouble(at: number): void {
    const random = this.#random;
    const name = random.pickAny(this.#processes)?.name ?? '';
    const long = random.between(0.9, 2.2) * leaseMs;
    const begin = at + (random.chance(0.5) ? -long : 0) + random.between(-10, 10);
    if (random.chance(0.3)) this.#critical.push(at);
    if (random.chance(0.5)) this.#at(name, begin, ({ host }) => host.cut(long));
    else this.#at(name, begin, ({ host }) => host.pause(long, this.#faultInjector.suspends));
  }

  /** Plans a node, considered silent by all others, that resumes and slowly renews its lease while a key is revoked. */
  #planSleeper(key: ApiKey, at: number): void {
    const random = this.#random;
    const name = random.pickAny(this.#processes)?.name ?? '';
    const long = random.between(1.15, 1.6) * leaseMs;
    this.#at(name, at - long - 50, (process) => process.verify(key));
    this.#at(name, at - long, ({ host }) => host.pause(long, this.#faultInjector.suspends));
    this.#critical.push(at);
    this.#planRevoke(key, at + random.between(0, 6));
  }

  /** Plans a node that joins and reads a head that a failover loses; the revoke then gets the same number. */
  #planFailover(key: ApiKey, at: number): void {
    const [reader, writer] = this.#random.shuffled(this.#processes);
    if (reader === undefined || writer === undefined) return;
    this.#at(reader.name, at, (process) => this.#crash(process, 0));
    this.#await(reader.name, at, 'hasRow', () => {
      this.#faultInjector.cutReplica();
      this.#at(writer.name, 0, (process) => void process.rename(key).catch(ignore));
      this.#await(reader.name, 0, 'hasLosableHead', (process) => {
        process.verify(key);
        this.#await(reader.name, 0, 'hasCachedLosable', () => {
          this.#database.restart(true);
          this.#planRevoke(key, this.world.now + this.#random.between(0, 20));
        });
      });
    });
  }

  /** Polls from a given time until a condition holds for a process, up to a limit. An adversary can see all states. */
  #await(name: string, time: number, state: Observable, then: (process: Process) => void, polls = 100): void {
    this.#at(name, Math.max(time, this.world.now) + 0.2, (process) => {
      if (process[state]) then(process);
      else if (polls > 0) this.#await(name, 0, state, then, polls - 1);
    });
  }

  #crash({ name, host }: Process, ms: number): void {
    host.alive = false;
    this.world.after(ms, () => this.#launch(name));
  }

  #planRevoke(key: ApiKey, at: number): void {
    const name = this.#random.pickAny(this.#processes)?.name ?? '';
    this.#at(name, at, (process) => {
      process.host.deliver(() => {
        process.revoke(key, () => this.#probe(key)).catch(ignore);
      });
    });
  }

  /** Verifies the key on every node now, and once more later. */
  #probe(key: ApiKey): void {
    this.#revoked.add(key);
    for (const process of this.#processes) {
      process.verify(key);
      this.#at(process.name, this.world.now + this.#random.between(0, 1.5 * leaseMs), (same) =>
        same.verify(key),
      );
    }
  }

  #planFaults(): void {
    const { pauses, suspends, crashes, leaves, wallJumps, restarts, failovers, prunes } = this.#faultInjector;
    this.#repeatAtRandom(pauses, (process) =>
      process.host.pause(this.#random.between(0, 2.5 * leaseMs), suspends),
    );
    // A backward step could hide a suspension from the safeguard, so a schedule has only one of the two.
    const back = suspends ? 0 : -5000;
    this.#repeatAtRandom(wallJumps, (process) =>
      process.host.jumpWallClock(this.#random.between(back, 5000)),
    );
    this.#repeatAtRandom(crashes, (process) => this.#crash(process, this.#random.between(1, 500)));
    this.#repeatAtRandom(leaves, (process) => {
      void process.leave();
      this.world.after(this.#random.between(10, 1500), () => this.#crash(process, 0));
    });
    // Schedules with failovers also have plain restarts: what a restart makes visible, a failover may lose.
    this.#repeatAtRandom(restarts, () => this.#database.restart(failovers && this.#random.chance(0.7)));
    this.#repeatAtRandom(prunes, () => this.#database.prune(this.#random.chance(0.5) ? 1 : 0));
  }

  #repeatAtRandom(count: number, fault: (process: Process) => void): void {
    for (let done = 0; done < count; done += 1) {
      this.world.after(this.#random.between(0, length.faultInjector), () => {
        const process = this.#random.pickAny(this.#processes);
        if (process !== undefined) fault(process);
      });
    }
  }

  /** Runs on the process that has the name at that time. */
  #at(name: string, time: number, run: (process: Process) => void): void {
    this.#planned += 1;
    this.world.after(Math.max(0, time - this.world.now), () => {
      this.#planned -= 1;
      const process = this.#processes.find((one) => one.name === name);
      if (process !== undefined) run(process);
    });
  }
}

function ignore(): void {}
