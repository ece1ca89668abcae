import { setImmediate as turn } from 'node:timers/promises';
import type { Later } from '../timers/repeating.ts';
import type { ClusterMember, ClusterTime } from './cluster-time.ts';
import type { Granted, GrantRequest, PostgresGrants } from './postgres-grants.ts';
import { minuteOf } from './sliding-window.ts';

/** Most keys of one round. */
const mostAtOnce = 500;

/** ms between two looks at the clock and the nodes, at least one of them in the last ten seconds of each minute. */
const usualInterval = 8000;

/** ms after which a database that fails is tried again. */
const retryInterval = 500;

interface Options {
  store: Pick<PostgresGrants, 'take' | 'look'>;
  member: ClusterMember;
  time: ClusterTime;
  /** Called with each response. @param now epoch ms at which it arrived. @returns ms, see Grants.receive */
  received: (request: GrantRequest, granted: Granted, now: number) => number;
  /** Epoch ms, by this node's clock. */
  now: () => number;
  later: Later;
  /** Called with the first of several failures in a row. */
  failed: (error: unknown) => void;
  recovered: () => void;
}

interface Entry extends GrantRequest {
  /** Requests that wait for the response. */
  waiting: ((answered: boolean) => void)[];
}

/** Takes grants for keys in rounds: one statement after another, each for all keys that need something by then. */
export class GrantRounds {
  /** Statements that failed. */
  failures = 0;
  readonly #options: Options;
  /** By key. */
  #due = new Map<string, Entry>();
  #underWay = new Map<string, Entry>();
  #running: Promise<void> | undefined;
  #failing = false;
  #stopped = false;
  #cancel: () => void = () => undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Resolves when the database has said what it grants to a key; false: it does not answer. */
  async wait(keyId: string, quota: number): Promise<boolean> {
    if (this.#failing || this.#stopped) return false;
    const underWay = this.#underWay.get(keyId);
    const entry = underWay?.wanted === true ? underWay : this.#entry(keyId, quota);
    entry.wanted = true;
    return new Promise((resolve) => entry.waiting.push(resolve));
  }

  /** Takes a grant in the background. */
  prefetch(keyId: string, quota: number): void {
    if (this.#failing || this.#stopped || this.#underWay.has(keyId)) return;
    this.#entry(keyId, quota).wanted = true;
  }

  /** Returns what was not used of a minute that has ended here. */
  giveBack(keyId: string, quota: number, unusedMinute: number, unused: number): void {
    if (!this.#failing && !this.#stopped) Object.assign(this.#entry(keyId, quota), { unusedMinute, unused });
  }

  /** Learns the time, and goes on to learn it. @throws when the database does not answer */
  async start(): Promise<void> {
    await this.#look();
    this.#lookLater();
  }

  /** What was granted and not used is lost. */
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
    // What arrives in one turn goes together.
    await turn();
    while (this.#due.size > 0) await this.#round();
    this.#running = undefined;
  }

  async #round(): Promise<void> {
    const { store, time, now, received } = this.#options;
    const sent = now();
    const minute = minuteOf(time.of(sent));
    this.#underWay = new Map([...this.#due].slice(0, mostAtOnce));
    for (const keyId of this.#underWay.keys()) this.#due.delete(keyId);
    try {
      const all = await store.take([...this.#underWay.values()], { id: time.withoutShare(minute), minute });
      const arrived = now();
      for (const granted of all) time.set(granted.at, sent, arrived);
      for (const granted of all) {
        const entry = this.#underWay.get(granted.keyId);
        if (entry !== undefined) this.#settle(entry, received(entry, granted, arrived));
      }
      this.#underWay.clear();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @param ms after which those who wait may look again */
  #settle({ waiting }: Entry, ms: number): void {
    const look = () => {
      for (const resolve of waiting) resolve(true);
    };
    if (ms === 0) look();
    else this.#options.later(look, ms);
  }

  /** Nothing is asked for again: a statement whose response was lost has granted something, which nobody uses. */
  #fail(error: unknown): void {
    this.failures += 1;
    if (!this.#failing) this.#options.failed(error);
    this.#failing = true;
    for (const entries of [this.#underWay, this.#due]) {
      for (const { waiting } of entries.values()) for (const resolve of waiting) resolve(false);
      entries.clear();
    }
    this.#lookLater();
  }

  #lookLater(): void {
    this.#cancel();
    if (this.#stopped) return;
    const look = () =>
      this.#look().then(
        () => this.#lookLater(),
        (error) => this.#fail(error),
      );
    this.#cancel = this.#options.later(() => void look(), this.#failing ? retryInterval : usualInterval);
  }

  async #look(): Promise<void> {
    const { store, time, now, member } = this.#options;
    const [id, sent] = [member.id, now()];
    const look = await store.look(id);
    time.set(look.at, sent, now());
    time.see(look, id);
    if (this.#failing) this.#options.recovered();
    this.#failing = false;
  }
}
