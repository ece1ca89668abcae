import type {
  Acknowledgment,
  ChangeEntry,
  LogPosition,
  NodeRow,
} from '../../packages/server/src/propagation/cluster-store.ts';
import type { FaultInjector } from './fault-injector.ts';
import type { World } from './world.ts';

export type Notice = 'change' | Acknowledgment;

/** The effect of a statement at its commit, and how a failover that loses the commit undoes it. */
interface Commit {
  /** Notification sent at the commit. */
  notice?: Notice;
  apply(): void;
  undo(): void;
}

/** A statement at isolation level READ COMMITTED. */
export interface Statement<S, R> {
  /** Reads the state as of the start of the statement. */
  snapshot(): S;
  /** The row that it changes. It waits for other writers of the row. */
  lock?: string;
  /** Called when the lock is held, so it sees the newest row, which may differ from that of the snapshot. */
  write?(snapshot: S): Commit | undefined;
  result(snapshot: S, written: boolean): R;
}

export interface KeyRow {
  revoked: boolean;
}

/** A model of PostgreSQL in which snapshot, lock, commit and visibility to others occur at different times. */
export class Database {
  head: LogPosition = { seq: 0, token: 'first' };
  /** Starts with an initial change, so that nodes always have a token to compare. */
  changes: ChangeEntry[] = [{ ...this.head, kind: 'workspace', subject: '', hashes: [] }];
  readonly nodes = new Map<string, NodeRow>();
  readonly keys = new Map<string, KeyRow>();
  /** Incremented at each restart, which no statement and no connection survives. */
  generation = 0;
  notify: (notice: Notice) => void = () => undefined;
  readonly #world: World;
  readonly #faultInjector: FaultInjector;
  readonly #locks = new Map<string, (() => void)[]>();
  /** Commits that no replica is known to have, oldest first. */
  #unreplicated: Commit[] = [];
  #commits = 0;

  constructor(world: World, faultInjector: FaultInjector) {
    this.#world = world;
    this.#faultInjector = faultInjector;
  }

  execute<S, R>(statement: Statement<S, R>, done: (result: R) => void): void {
    const { lock } = statement;
    const snapshot = statement.snapshot();
    if (lock === undefined) {
      this.#then(this.#faultInjector.stepMs(), () => this.#write(statement, snapshot, done));
    } else {
      this.#then(this.#faultInjector.stepMs(), () => {
        this.#lock(lock, () => this.#write(statement, snapshot, done));
      });
    }
  }

  /** Restarts the database, or fails over to a replica that lacks unreplicated commits. */
  restart(failover: boolean): void {
    this.generation += 1;
    this.#locks.clear();
    if (failover) {
      const lost = Math.floor(this.#world.random.between(0, this.#unreplicated.length + 1));
      for (let count = 0; count < lost; count += 1) this.#unreplicated.pop()?.undo();
      this.#unreplicated = [];
    }
    // A plain restart replicates nothing: what the replica lacks is visible now and may be lost later.
  }

  /** Identifies the server process. */
  get instance(): string {
    return String(this.generation);
  }

  /** Whether a visible change would be lost in a failover. */
  get isAhead(): boolean {
    return this.#unreplicated.some(({ notice }) => notice === 'change');
  }

  /** @param kept number of changes to retain */
  prune(kept: number): void {
    this.changes = this.changes.slice(Math.max(0, this.changes.length - kept));
  }

  /** A change, and its effect on a key. */
  change(subject: string, hashes: readonly Uint8Array[], token: string, key?: KeyRow): Commit {
    const { head } = this;
    const next = { seq: head.seq + 1, token };
    return {
      notice: 'change',
      apply: () => {
        this.head = next;
        this.changes = [...this.changes, { ...next, kind: 'key', subject, hashes }];
        if (key !== undefined) this.keys.set(subject, key);
      },
      undo: () => {
        this.head = head;
        this.changes = this.changes.filter((change) => change.seq <= head.seq);
        if (key !== undefined) this.keys.set(subject, { revoked: false });
      },
    };
  }

  /**
   * The write of a node's row.
   *
   * @param row the new row; undefined deletes it
   * @param token of the change that the node acknowledges in it
   */
  row(id: string, row: NodeRow | undefined, token = ''): Commit {
    let before = this.nodes.get(id);
    const acks = row !== undefined && row.ackedSeq !== before?.ackedSeq;
    return {
      ...(acks && { notice: { nodeId: id, renewal: before?.renewal ?? '', seq: row.ackedSeq, token } }),
      apply: () => {
        before = this.nodes.get(id);
        this.#put(id, row);
      },
      undo: () => this.#put(id, before),
    };
  }

  #put(id: string, row: NodeRow | undefined): void {
    if (row === undefined) this.nodes.delete(id);
    else this.nodes.set(id, row);
  }

  #write<S, R>(statement: Statement<S, R>, snapshot: S, done: (result: R) => void): void {
    const commit = statement.write?.(snapshot);
    const end = () => {
      if (statement.lock !== undefined) this.#unlock(statement.lock);
      done(statement.result(snapshot, commit !== undefined));
    };
    if (commit === undefined) end();
    else this.#then(this.#faultInjector.stepMs(), () => this.#commit(commit, end));
  }

  /** Makes the commit visible immediately, while locks and response wait for the replica: PostgreSQL's worst case. */
  #commit(commit: Commit, end: () => void): void {
    commit.apply();
    this.#unreplicated.push(commit);
    this.#commits += 1;
    const own = this.#commits;
    if (commit.notice !== undefined) this.notify(commit.notice);
    this.#then(this.#faultInjector.replicationMs(), () => {
      // The replica receives commits in order, so it has all earlier ones as well.
      const later = this.#commits - own;
      this.#unreplicated = later === 0 ? [] : this.#unreplicated.slice(-later);
      end();
    });
  }

  #lock(name: string, run: () => void): void {
    const queue = this.#locks.get(name);
    if (queue !== undefined) {
      queue.push(run);
      return;
    }
    this.#locks.set(name, []);
    run();
  }

  #unlock(name: string): void {
    const next = this.#locks.get(name)?.shift();
    if (next === undefined) this.#locks.delete(name);
    else next();
  }

  /** Continues after `ms`, unless the database was restarted. */
  #then(ms: number, run: () => void): void {
    if (ms === 0) {
      run();
      return;
    }
    const { generation } = this;
    this.#world.after(ms, () => {
      if (generation === this.generation) run();
    });
  }
}
