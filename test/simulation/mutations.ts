import type { Clock } from '../../packages/server/src/propagation/clock.ts';
import type {
  ClusterSnapshot,
  ClusterStore,
  LogPosition,
  NodeRow,
} from '../../packages/server/src/propagation/cluster-store.ts';
import { type ClockReading, Lease, type LeaseTiming } from '../../packages/server/src/propagation/lease.ts';
import { Peers } from '../../packages/server/src/propagation/peers.ts';
import type { Mutation } from './mutation.ts';
import { leaseMs } from './simulation.ts';

/** A lease that counts from the arrival of the response to the renewal. */
class LateLease extends Lease {
  readonly #now: Clock;

  constructor(clock: Clock, timing: LeaseTiming) {
    super(clock, timing);
    this.#now = clock;
  }

  override grant(sent: ClockReading): void {
    const now = this.#now.monotonic();
    super.grant({ monotonic: now, wall: sent.wall + now - sent.monotonic });
  }
}

/** A lease without a margin. */
class LongLease extends Lease {
  override grant({ monotonic, wall }: ClockReading): void {
    super.grant({ monotonic: monotonic + leaseMs / 10, wall: wall + leaseMs / 10 });
  }
}

/** Counts silence from the response before the one that showed the current renewal. */
class PeersSilentTooEarly extends Peers {
  #before = Number.NEGATIVE_INFINITY;

  override observe(rows: readonly NodeRow[], arrivedAt: number): void {
    super.observe(rows, this.#before);
    this.#before = arrivedAt;
  }
}

/** A store whose heartbeats return changed snapshots. */
function withSnapshots(
  store: ClusterStore,
  change: (snapshot: ClusterSnapshot, ackedSeq: number) => ClusterSnapshot,
): ClusterStore {
  return {
    ...bound(store),
    sendHeartbeat: async (node) => change(await store.sendHeartbeat(node), node.acked.seq),
  };
}

/** The methods of a store, to be replaced individually. */
function bound(store: ClusterStore): ClusterStore {
  return {
    register: (node) => store.register(node),
    readHead: () => store.readHead(),
    sendHeartbeat: (node) => store.sendHeartbeat(node),
    fence: (id, renewal) => store.fence(id, renewal),
    leave: (id) => store.leave(id),
    lacks: (position) => store.lacks(position),
  };
}

/** A store that fills gaps with invented changes. */
function withoutGaps(store: ClusterStore): ClusterStore {
  const tokens = new Map<number, string>();
  return {
    ...withSnapshots(store, (snapshot, ackedSeq) => {
      const { head } = snapshot;
      for (const { seq, token } of snapshot.changes) tokens.set(seq, token);
      const changes = [];
      for (let seq = ackedSeq; seq <= head.seq; seq += 1) {
        const token = seq === head.seq ? head.token : (tokens.get(seq) ?? '');
        tokens.set(seq, token);
        const invented = { seq, token, kind: 'key' as const, subject: '', hashes: [] };
        changes.push(snapshot.changes.find((change) => change.seq === seq) ?? invented);
      }
      return { ...snapshot, changes };
    }),
    readHead: async () => {
      const head = await store.readHead();
      tokens.set(head.seq, head.token);
      return head;
    },
  };
}

/** A store that distinguishes neither changes with the same number nor instances of the database. */
function withoutTokens(store: ClusterStore): ClusterStore {
  const plain = <H extends LogPosition>(head: H) => ({ ...head, token: '' });
  return {
    ...withSnapshots(store, (snapshot) => ({
      ...snapshot,
      instance: '',
      head: plain(snapshot.head),
      changes: snapshot.changes.map(plain),
    })),
    readHead: async () => ({ ...plain(await store.readHead()), instance: '' }),
  };
}

/** A store on which a node always has the same ID, its name. */
function withOldId(store: ClusterStore, name: string): ClusterStore {
  let own = '';
  return {
    ...bound(store),
    register: (node) => {
      own = node.id;
      return store.register({ ...node, id: name });
    },
    sendHeartbeat: async (node) => {
      const { nodes, ...rest } = await store.sendHeartbeat({ ...node, id: name });
      return { ...rest, nodes: nodes.map((row) => (row.id === name ? { ...row, id: own } : row)) };
    },
    leave: () => store.leave(name),
  };
}

/** A store that acknowledges the head before it is applied. */
function withEarlyAcks(store: ClusterStore): ClusterStore {
  return {
    ...bound(store),
    sendHeartbeat: async (node) => {
      const { seq, token } = await store.readHead();
      const [applied] = await Promise.all([
        store.sendHeartbeat({ ...node, renewal: `${node.renewal} first` }),
        store.sendHeartbeat({ ...node, acked: { seq, token } }),
      ]);
      return applied;
    },
  };
}

/** The protocol with one rule omitted each. The names state the rules. */
export const mutations: readonly Mutation[] = [
  { name: 'a revoke waits for the other nodes', exposedBy: 2, settle: async () => undefined },
  { name: 'verifying from the cache needs a lease', exposedBy: 2, holds: () => true },
  { name: 'an outdated read is not cached', exposedBy: 45, mayCache: () => true },
  {
    name: 'a silent node is fenced before it is skipped',
    exposedBy: 990,
    store: (store) => ({ ...bound(store), fence: async () => 'deleted' }),
  },
  {
    name: 'a fence fails if the node has renewed its lease',
    exposedBy: 2941,
    store: (store) => ({
      ...bound(store),
      fence: async (id) => {
        await store.leave(id);
        return 'deleted';
      },
    }),
  },
  {
    name: 'a lease starts when its renewal is sent',
    exposedBy: 4,
    parts: (clock, timing) => ({ lease: new LateLease(clock, timing) }),
  },
  {
    name: 'the wait starts at the response of the commit',
    exposedBy: 27,
    settle: (node, sentAt) => node.settle(sentAt),
  },
  {
    name: 'silence starts when the response arrives',
    exposedBy: 95,
    parts: () => ({ peers: new PeersSilentTooEarly() }),
  },
  { name: 'each registration has a new ID', exposedBy: 19, store: withOldId },
  { name: 'only applied changes are acknowledged', exposedBy: 198, store: withEarlyAcks },
  {
    name: 'a node without a renewal has no lease',
    exposedBy: 2,
    store: (store) => ({
      ...bound(store),
      sendHeartbeat: (node) => store.sendHeartbeat({ ...node, renewal: undefined }),
    }),
  },
  { name: 'a node starts over at a gap', exposedBy: 37, store: withoutGaps },
  {
    name: 'tokens distinguish changes with the same number',
    exposedBy: 2889,
    store: withoutTokens,
    mayCache: (node, ticket, { seq }) => node.mayCache(ticket, { seq, token: '' }),
    trusts: () => true,
  },
  {
    name: 'starting over empties the cache',
    exposedBy: 16,
    cache: (cache) => ({ ...cache, clear: () => undefined }),
  },
  {
    name: 'a node without a row has no lease',
    exposedBy: 5,
    store: (store) => withSnapshots(store, (snapshot) => ({ ...snapshot, registered: true })),
  },
  {
    name: 'a node that has not reached the head has no lease',
    exposedBy: 45,
    store: (store) =>
      withSnapshots(store, (snapshot) => ({ ...snapshot, head: snapshot.changes.at(-1) ?? snapshot.head })),
  },
  {
    name: 'waiting for a lease includes a margin',
    exposedBy: 2644,
    parts: (clock, timing) => ({ lease: new LongLease(clock, timing) }),
    settle: (node, _, receivedAt) => node.settle(receivedAt - leaseMs / 10),
  },
  {
    name: 'a lease ends if the monotonic clock falls behind the wall clock',
    exposedBy: 26,
    clock: ({ monotonic }) => ({ monotonic, wall: () => 1.7e12 + monotonic() }),
  },
];
