import {
  type ClusterSnapshot,
  type ClusterStore,
  type FenceResult,
  isSamePosition,
  type LogPosition,
  type NodeRow,
} from '../../packages/server/src/propagation/cluster-store.ts';
import type { Database, Statement } from './database.ts';
import type { FaultInjector } from './fault-injector.ts';
import type { Host } from './host.ts';
import type { World } from './world.ts';

interface Options {
  world: World;
  database: Database;
  host: Host;
  faultInjector: FaultInjector;
  leaseMs: number;
}

/** Maximum number of changes per heartbeat: low, so that nodes often lag further behind. */
const maxChanges = 3;

/** The database operations of a process, over a network that delays and loses messages. */
export class SimulatedClusterStore implements ClusterStore {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Rejects on timeout or when the database restarts. The statement may still commit, even later. */
  execute<S, R>(statement: Statement<S, R>): Promise<R> {
    const { database, host, faultInjector } = this.#options;
    return new Promise((resolve, reject) => {
      const cancel = host.schedule(() => reject(new Error('no response')), faultInjector.timeoutMs);
      const { generation } = database;
      const broken = () => {
        if (generation === database.generation) return false;
        host.deliver(() => {
          cancel();
          reject(new Error('the connection was lost'));
        });
        return true;
      };
      this.#send(() => {
        if (broken()) return;
        database.execute(statement, (result) => {
          this.#send(() => {
            if (broken()) return;
            host.deliver(() => {
              cancel();
              resolve(result);
            });
          });
        });
      });
    });
  }

  #send(arrive: () => void): void {
    const { world, faultInjector, host } = this.#options;
    if (faultInjector.loses()) return;
    world.after(faultInjector.transitMs(), () => host.isCut || arrive());
  }

  async register({ id, name, renewal }: { id: string; name: string; renewal: string }): Promise<void> {
    const { database } = this.#options;
    await this.execute({
      snapshot: () => undefined,
      write: () => database.row(id, { id, name, ackedSeq: 0, renewal }),
      result: () => undefined,
    });
  }

  readHead() {
    const { database, leaseMs } = this.#options;
    const snapshot = () => ({ ...database.head, leaseMs, instance: database.instance });
    return this.execute({ snapshot, result: (head) => head });
  }

  lacks(position: LogPosition): Promise<boolean> {
    const { database } = this.#options;
    const isKnown = (change: LogPosition) => isSamePosition(change, position);
    return this.execute({ snapshot: () => !database.changes.some(isKnown), result: (lacks) => lacks });
  }

  sendHeartbeat(sent: {
    id: string;
    acked: LogPosition;
    renewal: string | undefined;
  }): Promise<ClusterSnapshot> {
    const { database } = this.#options;
    const { id, acked, renewal } = sent;
    const { seq: ackedSeq, token } = acked;
    const snapshot = () => ({
      head: database.head,
      changes: database.changes.filter(({ seq }) => seq >= ackedSeq).slice(0, maxChanges),
      nodes: Array.from(database.nodes.values()),
      registered: database.nodes.has(id),
      instance: database.instance,
    });
    if (renewal === undefined) return this.execute({ snapshot, result: (seen) => seen });
    return this.execute({
      lock: `node ${id}`,
      snapshot,
      write: () => {
        const row = database.nodes.get(id);
        return row === undefined ? undefined : database.row(id, { ...row, ackedSeq, renewal }, token);
      },
      result: (seen, written) => ({ ...seen, registered: written }),
    });
  }

  fence(id: string, renewal: string): Promise<FenceResult> {
    const matches = (row: NodeRow | undefined) => row?.renewal === renewal;
    return this.#remove(id, matches);
  }

  async leave(id: string): Promise<void> {
    await this.#remove(id, () => true);
  }

  /** Deletes a row that matches in the snapshot and still matches when it is locked. */
  #remove(id: string, matches: (row: NodeRow | undefined) => boolean): Promise<FenceResult> {
    const { database } = this.#options;
    return this.execute({
      lock: `node ${id}`,
      snapshot: () => matches(database.nodes.get(id)),
      write: (matched) => {
        const row = database.nodes.get(id);
        return matched && row !== undefined && matches(row) ? database.row(id, undefined) : undefined;
      },
      result: (_, written) => {
        if (written) return 'deleted';
        return database.nodes.has(id) ? 'renewed' : 'gone';
      },
    });
  }
}
