import type { Acknowledgement, Change, Head, NodeRow } from '../../packages/server/src/propagation/link.ts';
import type { Adversity } from './adversity.ts';
import type { World } from './world.ts';

export type Notice = 'change' | Acknowledgement;

/** What a statement makes true at its commit, and how a failover that loses the commit undoes it. */
interface Commit {
  /** What others are notified of. */
  notice?: Notice;
  apply(): void;
  undo(): void;
}

/** A statement in READ COMMITTED. */
export interface Statement<S, R> {
  /** What it reads, as of the moment at which it begins. */
  snapshot(): S;
  /** The row that it changes. It waits for whoever else changes it. */
  lock?: string;
  /** Asked when it has the lock, so it sees the newest row, which may be another one than that of the snapshot. */
  write?(snapshot: S): Commit | undefined;
  answer(snapshot: S, written: boolean): R;
}

export interface KeyRow {
  revoked: boolean;
}

/** A PostgreSQL: snapshot, lock, commit, and visibility to others come at different times. */
export class Database {
  head: Head = { seq: 0, token: 'first' };
  /** With the change before all changes, so that nodes have a token to compare from the beginning. */
  changes: Change[] = [{ ...this.head, kind: 'workspace', subject: '', hashes: [] }];
  readonly nodes = new Map<string, NodeRow>();
  readonly keys = new Map<string, KeyRow>();
  /** Grows when it was restarted: no statement and no connection survives that. */
  life = 0;
  notify: (notice: Notice) => void = () => undefined;
  readonly #world: World;
  readonly #adversity: Adversity;
  readonly #locks = new Map<string, (() => void)[]>();
  /** Commits that no replica is known to have, the oldest first. */
  #unreplicated: Commit[] = [];
  #commits = 0;

  constructor(world: World, adversity: Adversity) {
    this.#world = world;
    this.#adversity = adversity;
  }

  execute<S, R>(statement: Statement<S, R>, done: (result: R) => void): void {
    const { lock } = statement;
    const snapshot = statement.snapshot();
    if (lock === undefined) {
      this.#then(this.#adversity.thinking(), () => this.#write(statement, snapshot, done));
    } else {
      this.#then(this.#adversity.thinking(), () => {
        this.#lock(lock, () => this.#write(statement, snapshot, done));
      });
    }
  }

  /** Restarts it, or hands over to a replica that lacks commits which nobody was told of. */
  restart(failover: boolean): void {
    this.life += 1;
    this.#locks.clear();
    if (failover) {
      const lost = Math.floor(this.#world.random.between(0, this.#unreplicated.length + 1));
      for (let count = 0; count < lost; count += 1) this.#unreplicated.pop()?.undo();
      this.#unreplicated = [];
    }
    // A restart alone replicates nothing: what the replica lacks is visible now, and may be lost later.
  }

  /** Whether a change is visible that a failover would lose. */
  get isAhead(): boolean {
    return this.#unreplicated.some(({ notice }) => notice === 'change');
  }

  /** @param kept how many changes */
  prune(kept: number): void {
    this.changes = this.changes.slice(Math.max(0, this.changes.length - kept));
  }

  /** A change, and what it makes true. */
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
   * A row of a node, as it becomes.
   *
   * @param token of the change that the node acknowledges with it
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
      done(statement.answer(snapshot, commit !== undefined));
    };
    if (commit === undefined) end();
    else this.#then(this.#adversity.thinking(), () => this.#commit(commit, end));
  }

  /** It is visible at once, and locks and answer wait for the replica: the worst of what PostgreSQL may do. */
  #commit(commit: Commit, end: () => void): void {
    commit.apply();
    this.#unreplicated.push(commit);
    this.#commits += 1;
    const own = this.#commits;
    if (commit.notice !== undefined) this.notify(commit.notice);
    this.#then(this.#adversity.replicating(), () => {
      // The replica gets commits in their order, so it has all before this one as well.
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

  /** Goes on after a while, unless the database was restarted. */
  #then(ms: number, run: () => void): void {
    if (ms === 0) {
      run();
      return;
    }
    const { life } = this;
    this.#world.after(ms, () => {
      if (life === this.life) run();
    });
  }
}
