import { StartupError } from '../startup-error.ts';
import type { Schedule } from '../timers/periodic-task.ts';
import { ChangeLog, type ReadTicket, type ReplicatedCache } from './change-log.ts';
import type { Clock } from './clock.ts';
import type { Acknowledgment, ClusterSnapshot, ClusterStore, LogPosition } from './cluster-store.ts';
import { DatabaseInstance, type InstanceHandlers, ReplacedInstance } from './database-instance.ts';
import { type HeartbeatOutcome, Heartbeats } from './heartbeats.ts';
import { type ClockReading, Lease, type LeaseTiming, leaseTimingOf } from './lease.ts';
import type { NodeStatus } from './node-status.ts';
import { OwnRegistrations } from './own-registrations.ts';
import { Peers } from './peers.ts';
import { PropagationWait, type WaitResult } from './propagation-wait.ts';
import { WaitMetrics } from './wait-metrics.ts';
import { withTimeout } from './with-timeout.ts';

export interface NodeOptions {
  /** Display name for operators; need not be unique. */
  name: string;
  /** Lease length in ms. Must equal the value in the database, or the node does not start. */
  leaseMs: number;
  /** The margin, as a fraction of the lease. Default: 0.1, because clocks may be slewed by up to 8%. */
  marginShare?: number;
  /** ms of silence after which a node's row is removed. Default: 60,000. */
  removeAfterMs?: number;
  store: ClusterStore;
  clock: Clock;
  schedule: Schedule;
  /** Returns a new random string. */
  newId: () => string;
  /** Returns a number in [0, 1). */
  random: () => number;
  cache: ReplicatedCache;
  /** ms for which uses may be unwritten; undefined if that is unknown. Default: unknown. */
  usageAge?: () => number | undefined;
  /** Called with the first of several consecutive failures. */
  failed: (error: unknown) => void;
  /** Called at the first success after a failure. */
  recovered: () => void;
  instanceHandlers: InstanceHandlers;
}

/** The parts that track time. The simulation replaces them with faulty ones and checks that it finds the fault. */
export interface NodeParts {
  lease: Lease;
  peers: Peers;
}

/** Heartbeats per lease length. Several in a row may fail before the lease expires. */
const heartbeatsPerLease = 5;

/** ms for which `stop` waits for the database, at most twice. */
const stopTimeoutMs = 1000;

/**
 * One of several processes that verify the keys of one database, each with its own cache. It verifies from its cache
 * while it holds a lease, applies the changes of other nodes, and waits for the others after its own changes.
 */
export class VerifierNode {
  /** Wait times, for the metrics. */
  readonly waitMetrics = new WaitMetrics();
  readonly #options: NodeOptions;
  readonly #timing: LeaseTiming;
  /** ms between two heartbeats, unless a notification of a change triggers one sooner. */
  readonly #interval: number;
  readonly #changeLog: ChangeLog;
  readonly #lease: Lease;
  readonly #peers: Peers;
  readonly #registrations: OwnRegistrations;
  readonly #heartbeats: Heartbeats<ClusterSnapshot>;
  readonly #waiting: PropagationWait;
  readonly #instance: DatabaseInstance;
  #headSeq = 0;
  /** The last change that this node has acknowledged. */
  #ackedSeq = 0;
  #stopped = false;

  constructor(options: NodeOptions, parts: Partial<NodeParts> = {}) {
    this.#options = options;
    const { clock, schedule, store, newId } = options;
    this.#timing = leaseTimingOf(options);
    this.#interval = options.leaseMs / heartbeatsPerLease;
    this.#changeLog = new ChangeLog(options.cache);
    this.#lease = parts.lease ?? new Lease(clock, this.#timing);
    this.#peers = parts.peers ?? new Peers();
    // The state of another instance may be older than the cache.
    this.#instance = new DatabaseInstance(options.instanceHandlers, () => this.#reset());
    this.#registrations = new OwnRegistrations(store, newId);
    this.#heartbeats = new Heartbeats((isAwaited) => this.#heartbeat(isAwaited), {
      ...options,
      interval: this.#interval,
    });
    const { waitMetrics: figures } = this;
    const node = {
      nextHeartbeat: () => this.#heartbeats.next(),
      isOwn: (id: string) => this.#registrations.has(id),
      silentMs: (id: string) => this.#peers.silentMs(id, clock.monotonic()),
      fence: (id: string) => this.#fence(id),
    };
    this.#waiting = new PropagationWait({ clock, schedule, timing: this.#timing, node, figures });
  }

  /**
   * Registers the node, which then runs in the background until `stop`.
   *
   * @throws when the database does not respond, or has a different lease length
   */
  async start(): Promise<void> {
    await this.#join().catch((error) => {
      // Another instance took over since the start of the process.
      if (error instanceof ReplacedInstance) return this.#join();
      throw error;
    });
    this.#heartbeats.wake();
  }

  /** The id of the current registration, new for each; '' before the first. */
  get id(): string {
    return this.#registrations.id;
  }

  /** Whether the node may verify from its cache now. @param wallNow epoch ms */
  holds(wallNow: number): boolean {
    return this.#lease.holds(wallNow);
  }

  /** Call this before a read of a key is sent. */
  beginRead(): ReadTicket {
    return this.#changeLog.beginRead();
  }

  /**
   * Whether the result of a read may be cached. Call this in the event-loop turn in which it is cached.
   *
   * @param head read in the same snapshot as the key
   */
  mayCache(ticket: ReadTicket, head: LogPosition): boolean {
    return this.#changeLog.mayCache(ticket, head);
  }

  /**
   * Whether a read may decide about a key. Call this with its result. A standby that took over may lack a revoke that
   * this node has seen, so it decides nothing until it was compared with the revocation journal.
   *
   * @param instance read in the same snapshot as the key
   */
  trusts(instance: string): boolean {
    if (!this.#instance.isKnown(instance)) {
      this.#instance.replace(instance);
      this.#heartbeats.retryNow();
    }
    return this.#instance.isCompared(instance);
  }

  /** Resolves to true when `trusts` returns true for a read of the newest instance, or to false after `ms`. */
  whenTrusted(ms: number): Promise<boolean> {
    return this.#instance.whenCompared(ms, this.#options.schedule);
  }

  /** Call this when a change was published, or may have been. */
  wake(): void {
    this.#heartbeats.wake();
  }

  /** Call this when a node has acknowledged a change, or may have. */
  onAcknowledgment(ack: Acknowledgment | undefined): void {
    this.#waiting.onAcknowledgment(ack);
  }

  /** Resolves with a heartbeat sent after this call, once this node has applied every change that it returned. */
  nextHeartbeat(): Promise<ClusterSnapshot> {
    return this.#heartbeats.next();
  }

  /**
   * Resolves when a committed change is in effect on every node. That takes at most one lease and its margin after the
   * commit.
   *
   * @param confirmedAt monotonic ms at which the response to its commit had arrived
   */
  settle(confirmedAt: number): Promise<WaitResult> {
    return this.#waiting.settle(confirmedAt);
  }

  status(): NodeStatus {
    const now = this.#options.clock.monotonic();
    const { registered, applied } = this.#changeLog;
    return {
      id: this.id,
      name: this.#options.name,
      registered,
      leaseMs: this.#lease.remainingMs(),
      appliedSeq: applied.seq,
      headSeq: this.#headSeq,
      lag: Math.max(0, this.#headSeq - applied.seq),
      nodes: this.#peers.rows().map(({ id, name, ackedSeq }) => {
        return { id, name, ackedSeq, silentMs: this.#peers.silentMs(id, now), self: id === this.id };
      }),
    };
  }

  /** Stops verifying from the cache and deletes the node's row, so that the others do not wait for it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#reset();
    const { schedule } = this.#options;
    await withTimeout(this.#heartbeats.stop(), stopTimeoutMs, schedule);
    await withTimeout(this.#registrations.leave(), stopTimeoutMs, schedule);
  }

  #reset(): void {
    this.#lease.drop();
    this.#changeLog.reset();
    this.#registrations.retire();
  }

  /**
   * Registers a new row without a lease. Only a heartbeat grants one, because a node that committed a change before
   * this row existed does not wait for this node.
   */
  async #join(): Promise<void> {
    const { store, name, leaseMs, newId } = this.#options;
    this.#reset();
    const { epoch, applied } = this.#changeLog;
    const { mustCompare } = this.#instance;
    if (mustCompare) {
      const compared = await this.#instance.reapply();
      this.#requireCurrent(epoch);
      this.#instance.require(compared);
    }
    const usageAgeMs = this.#options.usageAge?.();
    await store.register({ id: this.#registrations.newId(), name, renewal: newId(), usageAgeMs });
    const head = await store.readHead();
    if (head.leaseMs !== leaseMs) {
      throw new StartupError(
        'configuration',
        `The lease length is ${head.leaseMs} ms in the database but ${leaseMs} ms here. Run the same version on all nodes.`,
      );
    }
    this.#instance.require(head.instance);
    const hasLost = mustCompare && applied.seq > 0 && (await store.lacks(applied));
    this.#requireCurrent(epoch);
    if (mustCompare) this.#instance.compared(hasLost);
    this.#changeLog.begin({ seq: head.seq, token: head.token });
  }

  /** @throws when the node was stopped or reset since the request was sent, so the response no longer applies */
  #requireCurrent(epoch: number): void {
    if (this.#stopped || this.#changeLog.epoch !== epoch) throw new Error('the node was stopped or reset');
  }

  async #heartbeat(isAwaited: boolean): Promise<HeartbeatOutcome<ClusterSnapshot>> {
    const { store, clock, newId } = this.#options;
    if (!this.#changeLog.registered) await this.#join();
    const { epoch, applied } = this.#changeLog;
    const sent = { monotonic: clock.monotonic(), wall: clock.wall() };
    // A heartbeat that fetches a change soon after a renewal only reads, so it waits for no flush to disk. One that a
    // revoke waits for always writes, because a standby or a former primary could return an outdated head.
    const onlyReads =
      !isAwaited && applied.seq === this.#ackedSeq && this.#lease.wasRenewedWithin(this.#interval);
    const renewal = onlyReads ? undefined : newId();
    const usageAgeMs = this.#options.usageAge?.();
    const snapshot = await store.sendHeartbeat({ id: this.id, acked: applied, renewal, usageAgeMs });
    this.#requireCurrent(epoch);
    this.#instance.require(snapshot.instance);
    if (renewal === undefined) return this.#applySnapshot(snapshot, undefined);
    this.#ackedSeq = applied.seq;
    return this.#applySnapshot(snapshot, sent);
  }

  /**
   * Applies the result of a heartbeat. It is synchronous, so that no verification runs between the steps.
   *
   * @param renewed the clocks just before the renewal was sent; undefined if the heartbeat only read
   */
  #applySnapshot(
    snapshot: ClusterSnapshot,
    renewed: ClockReading | undefined,
  ): HeartbeatOutcome<ClusterSnapshot> {
    const before = this.#changeLog.applied;
    this.#headSeq = snapshot.head.seq;
    this.#peers.observe(snapshot.nodes, this.#options.clock.monotonic());
    const applied = this.#changeLog.apply(snapshot);
    if (applied === 'broken') {
      this.#reset();
      throw new Error(
        snapshot.registered
          ? 'changes are missing, so this node starts over with an empty cache'
          : 'other nodes removed this node because it was silent, so it starts over with an empty cache',
      );
    }
    const complete = applied === 'complete';
    if (complete && renewed !== undefined) {
      this.#lease.grant(renewed);
      this.#removeAbandonedRows();
    }
    return { caughtUp: complete ? snapshot : undefined, again: this.#changeLog.applied !== before };
  }

  /** Deletes the former rows of this process, and the rows of nodes that have been silent for a long time. */
  #removeAbandonedRows(): void {
    const { clock, removeAfterMs = 60_000 } = this.#options;
    void this.#registrations.leave();
    const now = clock.monotonic();
    const minSilence = Math.max(removeAfterMs, this.#timing.leaseMs + this.#timing.marginMs);
    for (const { id } of this.#peers.rows()) {
      if (id !== this.#registrations.id && this.#peers.silentMs(id, now) > minSilence) void this.#fence(id);
    }
  }

  /** Deletes the row of a silent node. @returns whether the row is gone */
  async #fence(id: string): Promise<boolean> {
    const row = this.#peers.row(id);
    if (row === undefined) return false;
    try {
      const result = await this.#options.store.fence(id, row.renewal);
      // Waiting changes, of this node and of others, fence the same row at the same time.
      if (result === 'deleted') this.waitMetrics.fenced += 1;
      return result !== 'renewed';
    } catch {
      return false;
    }
  }
}
