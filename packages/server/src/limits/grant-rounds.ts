import { setImmediate as turn } from 'node:timers/promises';
import type { Schedule } from '../timers/periodic-task.ts';
import type { ClusterMember, ClusterTime } from './cluster-time.ts';
import type { GrantRequest, GrantResult, PostgresGrants } from './postgres-grants.ts';
import { minuteOf } from './sliding-window.ts';

/** Maximum number of keys per round. */
const maxKeysPerRound = 500;

/** ms between two readings of the cluster state, so that at least one is in the last ten seconds of each minute. */
const usualInterval = 8000;

/** ms after which a failing database is tried again. */
const retryInterval = 500;

interface Options {
  store: Pick<PostgresGrants, 'take' | 'readClusterState'>;
  member: ClusterMember;
  time: ClusterTime;
  /** Called with each result. @param now epoch ms of its arrival. @returns ms, see Grants.receive */
  received: (request: GrantRequest, granted: GrantResult, now: number) => number;
  /** Epoch ms, by this node's clock. */
  now: () => number;
  schedule: Schedule;
  /** Called with the first of several failures in a row. */
  failed: (error: unknown) => void;
  recovered: () => void;
}

interface Entry extends GrantRequest {
  /** Requests that wait for the result. */
  waiting: ((responded: boolean) => void)[];
}

/** Takes grants in rounds: one statement at a time, each for all keys that need something by then. */
export class GrantRounds {
  /** Number of failed statements. */
  failures = 0;
  readonly #options: Options;
  /** By key. */
  #due = new Map<string, Entry>();
  #inFlight = new Map<string, Entry>();
  #running: Promise<void> | undefined;
  #failing = false;
  #stopped = false;
  #cancel: () => void = () => undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Resolves when the database has decided about a grant for a key; false if the database does not respond. */
  async wait(keyId: string, quota: number): Promise<boolean> {
    if (this.#failing || this.#stopped) return false;
    const inFlight = this.#inFlight.get(keyId);
    const entry = inFlight?.wanted === true ? inFlight : this.#entry(keyId, quota);
    entry.wanted = true;
    return new Promise((resolve) => entry.waiting.push(resolve));
  }

  /** Takes a grant in the background. */
  prefetch(keyId: string, quota: number): void {
    if (this.#failing || this.#stopped || this.#inFlight.has(keyId)) return;
    this.#entry(keyId, quota).wanted = true;
  }

  /** Returns the unused part of a minute that has ended on this node. */
  returnUnused(keyId: string, quota: number, unusedMinute: number, unused: number): void {
    if (!this.#failing && !this.#stopped) Object.assign(this.#entry(keyId, quota), { unusedMinute, unused });
  }

  /** Reads the cluster state now and then periodically. @throws if the database does not respond */
  async start(): Promise<void> {
    await this.#readClusterState();
    this.#scheduleReading();
  }

  /** Stops; unused grants are lost. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#running;
  }

  #entry(keyId: string, quota: number): Entry {
    let entry = this.#due.get(keyId);
    if (entry === undefined) {
      entry = { keyId, quota, wanted: false, unusedMinute: 0, unused: 0, waiting: [] };
      this.#due.set(keyId, entry);
    }
    entry.quota = quota;
    this.#running ??= this.#run();
    return entry;
  }

  async #run(): Promise<void> {
    // Batches everything that is requested in one turn.
    await turn();
    while (this.#due.size > 0) await this.#round();
    this.#running = undefined;
  }

  async #round(): Promise<void> {
    const { store, time, now, received } = this.#options;
    const sent = now();
    const minute = minuteOf(time.of(sent));
    this.#inFlight = new Map([...this.#due].slice(0, maxKeysPerRound));
    for (const keyId of this.#inFlight.keys()) this.#due.delete(keyId);
    try {
      const all = await store.take([...this.#inFlight.values()], { id: time.idWithoutShare(minute), minute });
      const arrived = now();
      for (const granted of all) time.synchronize(granted.at, sent, arrived);
      for (const granted of all) {
        const entry = this.#inFlight.get(granted.keyId);
        if (entry !== undefined) this.#settle(entry, received(entry, granted, arrived));
      }
      this.#inFlight.clear();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @param ms delay before waiting requests are verified again */
  #settle({ waiting }: Entry, ms: number): void {
    const resume = () => {
      for (const resolve of waiting) resolve(true);
    };
    if (ms === 0) resume();
    else this.#options.schedule(resume, ms);
  }

  /** Nothing is retried: a statement whose response was lost may have granted quota that stays unused. */
  #fail(error: unknown): void {
    this.failures += 1;
    if (!this.#failing) this.#options.failed(error);
    this.#failing = true;
    for (const entries of [this.#inFlight, this.#due]) {
      for (const { waiting } of entries.values()) for (const resolve of waiting) resolve(false);
      entries.clear();
    }
    this.#scheduleReading();
  }

  #scheduleReading(): void {
    this.#cancel();
    if (this.#stopped) return;
    const read = () =>
      this.#readClusterState().then(
        () => this.#scheduleReading(),
        (error) => this.#fail(error),
      );
    this.#cancel = this.#options.schedule(() => void read(), this.#failing ? retryInterval : usualInterval);
  }

  async #readClusterState(): Promise<void> {
    const { store, time, now, member } = this.#options;
    const [id, sent] = [member.id, now()];
    const state = await store.readClusterState(id);
    time.synchronize(state.at, sent, now());
    time.update(state, id);
    if (this.#failing) this.#options.recovered();
    this.#failing = false;
  }
}
