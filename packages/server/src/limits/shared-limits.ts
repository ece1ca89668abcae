import { setImmediate as turn } from 'node:timers/promises';
import type { Later } from '../timers/repeating.ts';
import type { KeyLimits, KeyWindow } from './key-limits.ts';
import type { SharedWindows, Telling, Told } from './shared-windows.ts';
import { type LimitState, peek, take } from './sliding-window.ts';
import { countUntold, replace, untoldOf } from './untold.ts';

/** Each of N nodes may let pass a key's limit / (20 N) that the others do not know of, so all of them 5 % of it. */
const sharesOfNode = 20;

/** Most keys of one round. */
const mostAtOnce = 500;

/** ms between two looks at how many nodes there are, between two tries of a database that fails, and of the clock. */
const intervals = { look: 200, retry: 500, clock: 10_000 };

/** ms by which the clock may go back without being followed: it then stands still for so long. */
const standstill = 5000;

interface Options {
  keys: KeyLimits;
  store: Pick<SharedWindows, 'tell' | 'read'>;
  /** How many nodes there are, with this one; 0: not known yet. */
  nodes: () => number;
  /** Epoch ms. */
  now: () => number;
  later: Later;
  /** Told of the first of several failures in a row. */
  failed: (error: unknown) => void;
  recovered: () => void;
}

/** What goes with the next round. */
interface Entry {
  keyId: string;
  window: KeyWindow;
  quota: number;
  /** Requests that wait for the database's word. */
  waiting: ((state: LimitState | undefined) => void)[];
}

/**
 * The limits of keys when several nodes let requests pass. A window in memory is what the database said last, and what
 * passed here since then, which is untold. As long as little is untold, a node decides alone; then it tells, in the
 * background at first; and a request that would make it more than the node's share waits, and passes if the database
 * has room for it. So of limits too small for shares every request asks. Alone, a node tells nothing until its stop.
 *
 * The time is that of the database, as this node knows it from its answers: all nodes are in the same minute.
 */
export class SharedLimits {
  readonly #options: Options;
  #nodes = 0;
  #failing = false;
  #stopped = false;
  /** ms by which the database's clock is before this node's. */
  #offset = 0;
  /** Epoch ms: the latest that was made of a clock and the offset. */
  #latest = 0;
  /** By key. */
  readonly #due = new Map<string, Entry>();
  #underWay = new Set<string>();
  /** Those of them of which requests wait: what passed meanwhile would come on top of what the database grants. */
  #deciding = new Set<string>();
  #running: Promise<void> | undefined;
  /** What takes each of them back. */
  readonly #timers = new Map<keyof typeof intervals, () => void>();
  /** Whether something passed of which the others know nothing, because there were none. */
  #wasAlone = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** The database's clock, as far as it is known. @param now epoch ms, by this node's own */
  time(now: number): number {
    const time = now + this.#offset;
    if (this.#nodes === 1) return time;
    if (time < this.#latest && this.#latest - time < standstill) return this.#latest;
    this.#latest = time;
    return time;
  }

  /**
   * Counts a request of a key if it can be decided here.
   *
   * @param now epoch ms, by this node's clock
   * @returns undefined when the database has to be asked
   */
  take(window: KeyWindow, keyId: string, quota: number, now: number): LimitState | undefined {
    // After the start it is known before the next look.
    if (this.#nodes === 0) this.#count();
    const time = this.time(now);
    if (this.#nodes === 1) return take(window, 'key', quota, time);
    const untold = countUntold(window, time);
    const deciding = !this.#failing && this.#deciding.has(keyId);
    if (
      !this.#failing &&
      !deciding &&
      (untold + 1) * 2 * sharesOfNode * this.#nodes <= quota &&
      this.#nodes > 0
    ) {
      return take(window, 'key', quota, time);
    }
    const state = peek(window, 'key', quota, time);
    if (!state.passed) return state;
    if (deciding || untold >= this.#share(quota)) return undefined;
    if (!this.#failing && !this.#underWay.has(keyId)) this.#entry(keyId, window, quota);
    return take(window, 'key', quota, time);
  }

  /**
   * Lets the database decide about a request, and counts it there if it passes.
   *
   * @returns undefined when the database does not answer
   */
  ask(window: KeyWindow, keyId: string, quota: number): Promise<LimitState | undefined> {
    if (this.#failing || this.#stopped) return Promise.resolve(undefined);
    return new Promise((resolve) => this.#entry(keyId, window, quota).waiting.push(resolve));
  }

  /** Goes on with what all nodes have told, and looks at how many there are. */
  async start(): Promise<void> {
    this.#look();
    this.#keepTime();
    const { store, keys, now } = this.#options;
    const sent = now();
    const { at } = await store.tell([]);
    this.#setClock(at, sent);
    for await (const windows of store.read()) {
      for (const { keyId, minute, current, previous } of windows) {
        const window = { minute, current, previous };
        keys.restore(keyId, window);
        keys.windowOf(keyId).told = { ...window };
      }
    }
  }

  /**
   * Tells what is untold. Called when the last request has ended; may be called again when it failed.
   *
   * @throws when the database does not answer
   */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const cancel of this.#timers.values()) cancel();
    await this.#running;
    this.#failing = false;
    await this.#tellAll();
    if (this.#failing) throw new Error('the database does not answer');
  }

  /** Most that may be untold: with a database that does not answer, an even part of the limit. */
  #share(quota: number): number {
    if (this.#nodes === 0) return 0;
    if (this.#failing) return Math.max(1, Math.floor(quota / this.#nodes));
    return Math.floor(quota / (sharesOfNode * this.#nodes));
  }

  /** Whenever it is known how many there are, it is noted whether something may pass that nobody is told of. */
  #count(): void {
    this.#nodes = this.#options.nodes();
    if (this.#wasAlone && this.#nodes > 1) void this.#tellAll();
    if (this.#nodes > 0) this.#wasAlone = this.#nodes === 1;
  }

  #look(): void {
    this.#count();
    this.#after('look', () => this.#look());
  }

  #keepTime(): void {
    if (this.#nodes > 1) void this.#wake();
    this.#after('clock', () => this.#keepTime());
  }

  #after(interval: keyof typeof intervals, run: () => void): void {
    if (!this.#stopped) this.#timers.set(interval, this.#options.later(run, intervals[interval]));
  }

  #entry(keyId: string, window: KeyWindow, quota: number): Entry {
    const known = this.#due.get(keyId);
    const entry = known ?? { keyId, window, quota, waiting: [] };
    entry.quota = quota;
    if (known === undefined) this.#due.set(keyId, entry);
    void this.#wake();
    return entry;
  }

  async #tellAll(): Promise<void> {
    const time = () => this.time(this.#options.now());
    for (const [keyId, window] of this.#options.keys.counting(time())) {
      if (countUntold(window, time()) === 0 || this.#due.has(keyId)) continue;
      this.#entry(keyId, window, 0);
      if (this.#due.size >= mostAtOnce) await this.#wake();
      if (this.#failing) return;
    }
    await this.#running;
  }

  /** Begins to tell, if that is not under way. Never two rounds at once: each tells what is untold. */
  #wake(): Promise<void> {
    this.#running ??= this.#run();
    return this.#running;
  }

  async #run(): Promise<void> {
    // What arrives in one turn goes together.
    await turn();
    do await this.#round();
    while (this.#due.size > 0);
    this.#running = undefined;
  }

  async #round(): Promise<void> {
    const { store, now } = this.#options;
    const entries = [...this.#due.values()].slice(0, mostAtOnce);
    for (const { keyId } of entries) this.#due.delete(keyId);
    this.#underWay = new Set(entries.map(({ keyId }) => keyId));
    this.#deciding = new Set(entries.filter(({ waiting }) => waiting.length > 0).map(({ keyId }) => keyId));
    const sent = now();
    const time = this.time(sent);
    const tellings = entries.map(({ keyId, window, quota, waiting }) => {
      return { keyId, passed: untoldOf(window, time), wanted: waiting.length, quota };
    });
    try {
      const { at, told } = await store.tell(tellings);
      this.#setClock(at, sent);
      this.#settle(entries, tellings, told);
      if (this.#failing) this.#options.recovered();
      this.#failing = false;
    } catch (error) {
      this.#fail(entries, error);
    } finally {
      this.#underWay.clear();
      this.#deciding.clear();
    }
  }

  #settle(entries: readonly Entry[], tellings: readonly Telling[], told: readonly Told[]): void {
    const answers = new Map(told.map((each) => [each.keyId, each]));
    const time = this.time(this.#options.now());
    entries.forEach((entry, index) => {
      const [telling, answer] = [tellings[index], answers.get(entry.keyId)];
      if (telling === undefined || answer === undefined) return;
      replace(entry.window, telling.passed, answer, time);
      this.#answer(entry, answer.granted, time);
    });
  }

  #answer({ keyId, window, quota, waiting }: Entry, granted: number, time: number): void {
    if (quota === 0) return;
    const state = peek(window, 'key', quota, time);
    const reset = Math.ceil(((window.minute + 1) * 60_000 - time) / 1000);
    const refusal = { ...state, remaining: 0, passed: false };
    waiting.forEach((resolve, index) => {
      const remaining = state.remaining + granted - 1 - index;
      resolve(index < granted ? { ...state, remaining, resetSeconds: reset, passed: true } : refusal);
    });
    if (state.passed) return;
    // Those that have come meanwhile need not ask.
    const next = this.#due.get(keyId);
    this.#due.delete(keyId);
    for (const resolve of next?.waiting ?? []) resolve(refusal);
  }

  /** Nothing is taken back: what was told may be told again, which can only make a limit stricter. */
  #fail(entries: readonly Entry[], error: unknown): void {
    if (!this.#failing) this.#options.failed(error);
    this.#failing = true;
    const all = [...entries, ...this.#due.values()];
    this.#due.clear();
    for (const { keyId, window, quota, waiting } of all) {
      for (const resolve of waiting) resolve(this.take(window, keyId, quota, this.#options.now()));
    }
    this.#after('retry', () => void this.#wake());
  }

  /** Changes what is known of the database's clock as little as the answer asks for, so that it does not tremble. */
  #setClock(at: number, sent: number): void {
    const [least, most] = [at - this.#options.now(), at - sent];
    this.#offset = Math.min(Math.max(this.#offset, least), most);
  }
}
