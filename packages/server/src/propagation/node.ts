import { StartupError } from '../startup-error.ts';
import type { Later } from '../timers/repeating.ts';
import type { Clock } from './clock.ts';
import { Exchanges, type Outcome } from './exchanges.ts';
import { type Cache, Feed, type Ticket } from './feed.ts';
import { Lease, type Moment, type Terms } from './lease.ts';
import type { Acknowledgement, ClusterSnapshot, FeedLink, Head } from './link.ts';
import { Neighbours } from './neighbours.ts';
import { OwnRows } from './own-rows.ts';
import { WaitFigures } from './wait-figures.ts';
import { type Settled, Waiting } from './waiting.ts';
import { within } from './within.ts';

export interface NodeOptions {
  /** Name for the operator; need not be unique. */
  name: string;
  /** In ms. Must equal the value in the database, or the node does not start. */
  leaseMs: number;
  /** Share of the lease that is its margin. Default: 0.1, because a clock may be slewed by 8 %. */
  marginShare?: number;
  /** ms after which a silent node is removed from the list. Default: 60,000. */
  removeAfterMs?: number;
  link: FeedLink;
  clock: Clock;
  later: Later;
  /** A new random text. */
  newId: () => string;
  /** From 0 to below 1. */
  random: () => number;
  cache: Cache;
  /** Called with the first of several failures in a row. */
  failed: (error: unknown) => void;
  /** Called when exchanges succeed again. */
  recovered: () => void;
}

/** The parts that hold times. The simulation replaces them with wrong ones, and checks that it detects them. */
export interface NodeParts {
  lease: Lease;
  neighbours: Neighbours;
}

/** The state of a node, for operators. */
export interface NodeStatus {
  id: string;
  name: string;
  registered: boolean;
  /** ms for which it may verify from its cache. */
  leaseMs: number;
  appliedSeq: number;
  headSeq: number;
  /** Known changes that it has not applied. */
  lag: number;
  nodes: { id: string; name: string; ackedSeq: number; silentMs: number; self: boolean }[];
}

/** Exchanges per lease: several may fail before it expires. */
const exchangesPerLease = 5;

/** ms that the stop waits for the database, twice at most. */
const farewellMs = 1000;

/** The terms that all nodes must share, from the options of one. */
export function termsOf({ leaseMs, marginShare = 0.1 }: Pick<NodeOptions, 'leaseMs' | 'marginShare'>): Terms {
  return { leaseMs, marginMs: leaseMs * marginShare };
}

/**
 * One of several processes that verify keys of the same database, each with its own cache. It verifies from its cache
 * while it holds a lease, applies the changes of other nodes, and waits for them after a change of its own.
 */
export class VerifierNode {
  /** For the metrics. */
  readonly figures = new WaitFigures();
  readonly #options: NodeOptions;
  readonly #terms: Terms;
  /** ms between two exchanges when no change is notified. */
  readonly #interval: number;
  readonly #feed: Feed;
  readonly #lease: Lease;
  readonly #neighbours: Neighbours;
  readonly #rows: OwnRows;
  readonly #exchanges: Exchanges<ClusterSnapshot>;
  readonly #waiting: Waiting;
  #headSeq = 0;
  /** The last change that this node has acknowledged. */
  #ackedSeq = 0;
  #stopped = false;

  constructor(options: NodeOptions, parts: Partial<NodeParts> = {}) {
    this.#options = options;
    const { clock, later, link, newId } = options;
    this.#terms = termsOf(options);
    this.#interval = options.leaseMs / exchangesPerLease;
    this.#feed = new Feed(options.cache);
    this.#lease = parts.lease ?? new Lease(clock, this.#terms);
    this.#neighbours = parts.neighbours ?? new Neighbours();
    this.#rows = new OwnRows(link, newId);
    this.#exchanges = new Exchanges((isAwaited) => this.#exchange(isAwaited), {
      ...options,
      interval: this.#interval,
    });
    const { figures } = this;
    const node = {
      exchanged: () => this.#exchanges.next(),
      isOwn: (id: string) => this.#rows.has(id),
      silentMs: (id: string) => this.#neighbours.silentMs(id, clock.monotonic()),
      fence: (id: string) => this.#fence(id),
    };
    this.#waiting = new Waiting({ clock, later, terms: this.#terms, node, figures });
  }

  /**
   * Registers, and runs in the background until the stop.
   *
   * @throws when the database does not respond, or has another lease length
   */
  async start(): Promise<void> {
    await this.#join();
    this.#exchanges.wake();
  }

  /** Another one after each registration; '' before the first. */
  get id(): string {
    return this.#rows.id;
  }

  /** Whether it may verify from its cache now. @param wallNow epoch ms */
  holds(wallNow: number): boolean {
    return this.#lease.holds(wallNow);
  }

  /** Call it before a read of a key is sent. */
  beginRead(): Ticket {
    return this.#feed.beginRead();
  }

  /**
   * Whether what was read may be cached. Call it in the same turn in which it is cached.
   *
   * @param head of the same snapshot as what was read
   */
  mayKeep(ticket: Ticket, head: Head): boolean {
    return this.#feed.mayKeep(ticket, head);
  }

  /** Reports that something was changed, or may have been. */
  wake(): void {
    this.#exchanges.wake();
  }

  /** Reports that a node may have acknowledged something. */
  acked(ack: Acknowledgement | undefined): void {
    this.#waiting.acked(ack);
  }

  /** Resolves with an exchange that was sent after this call, when this node has applied all that it shows. */
  exchanged(): Promise<ClusterSnapshot> {
    return this.#exchanges.next();
  }

  /**
   * Resolves when a change is in effect on every node, at most the lease and its margin after the commit.
   *
   * @param answeredAt monotonic ms at which the response to its commit had arrived
   */
  settle(answeredAt: number): Promise<Settled> {
    return this.#waiting.settle(answeredAt);
  }

  status(): NodeStatus {
    const now = this.#options.clock.monotonic();
    const { registered, applied } = this.#feed;
    const own = this.#rows.id;
    return {
      id: own,
      name: this.#options.name,
      registered,
      leaseMs: this.#lease.remaining(),
      appliedSeq: applied.seq,
      headSeq: this.#headSeq,
      lag: Math.max(0, this.#headSeq - applied.seq),
      nodes: this.#neighbours.rows().map(({ id, name, ackedSeq }) => {
        return { id, name, ackedSeq, silentMs: this.#neighbours.silentMs(id, now), self: id === own };
      }),
    };
  }

  /** Stops verifying from the cache, and removes the node, so that the others do not wait for it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#startOver();
    const { later } = this.#options;
    await within(this.#exchanges.stop(), farewellMs, later);
    await within(this.#rows.leave(), farewellMs, later);
  }

  #startOver(): void {
    this.#lease.drop();
    this.#feed.startOver();
    this.#rows.renounce();
  }

  /** Grants no lease: a change may have been committed before the row, and its author did not see this node. */
  async #join(): Promise<void> {
    const { link, name, leaseMs, newId } = this.#options;
    this.#startOver();
    const { epoch } = this.#feed;
    await link.register({ id: this.#rows.take(), name, renewal: newId() });
    const head = await link.readHead();
    if (head.leaseMs !== leaseMs) {
      throw new StartupError(
        'configuration',
        `The database has leases of ${head.leaseMs} ms, and this node of ${leaseMs} ms: it takes a program of the same version as the other nodes.`,
      );
    }
    this.#demand(epoch);
    this.#feed.begin({ seq: head.seq, token: head.token });
  }

  /** @throws when the node was stopped or has started over since the request: its response no longer applies */
  #demand(epoch: number): void {
    if (this.#stopped || this.#feed.epoch !== epoch) throw new Error('the node has been stopped');
  }

  async #exchange(isAwaited: boolean): Promise<Outcome<ClusterSnapshot>> {
    const { link, clock, newId } = this.#options;
    if (!this.#feed.registered) await this.#join();
    const { epoch, applied } = this.#feed;
    const sent = { monotonic: clock.monotonic(), wall: clock.wall() };
    // An exchange that fetches a change soon after a renewal only reads, so it waits for no flush to disk. One that a
    // revoke waits for always writes: a standby, or a former primary, could show it too old a head.
    const onlyReads =
      !isAwaited && applied.seq === this.#ackedSeq && this.#lease.renewedWithin(this.#interval);
    const renewal = onlyReads ? undefined : newId();
    const exchange = await link.exchange({ id: this.#rows.id, acked: applied, renewal });
    this.#demand(epoch);
    if (renewal === undefined) return this.#take(exchange, undefined);
    this.#ackedSeq = applied.seq;
    return this.#take(exchange, sent);
  }

  /**
   * Synchronous: no verification runs between the steps.
   *
   * @param renewed before the renewal was sent; undefined when the exchange only read
   */
  #take(exchange: ClusterSnapshot, renewed: Moment | undefined): Outcome<ClusterSnapshot> {
    const before = this.#feed.applied;
    this.#headSeq = exchange.head.seq;
    this.#neighbours.see(exchange.nodes, this.#options.clock.monotonic());
    const applied = this.#feed.apply(exchange);
    if (applied === 'broken') {
      this.#startOver();
      throw new Error(
        exchange.registered
          ? 'changes are missing, so this node starts over with an empty cache'
          : 'other nodes did not hear of this one in time, so it starts over with an empty cache',
      );
    }
    const complete = applied === 'complete';
    if (complete && renewed !== undefined) {
      this.#lease.grant(renewed);
      this.#tidy();
    }
    return { caughtUp: complete ? exchange : undefined, again: this.#feed.applied !== before };
  }

  /** Removes abandoned rows: those of this process, and of nodes that died long ago. */
  #tidy(): void {
    const { clock, removeAfterMs = 60_000 } = this.#options;
    void this.#rows.leave();
    const now = clock.monotonic();
    const least = Math.max(removeAfterMs, this.#terms.leaseMs + this.#terms.marginMs);
    for (const { id } of this.#neighbours.rows()) {
      if (id !== this.#rows.id && this.#neighbours.silentMs(id, now) > least) void this.#fence(id);
    }
  }

  /** @returns whether the row is gone */
  async #fence(id: string): Promise<boolean> {
    const row = this.#neighbours.row(id);
    if (row === undefined) return false;
    try {
      const gone = await this.#options.link.fence(id, row.renewal);
      if (gone) this.figures.fenced += 1;
      return gone;
    } catch {
      return false;
    }
  }
}
