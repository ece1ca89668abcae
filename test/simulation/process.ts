import { generateKey, hashKey } from '@soku/key';
import { AddressLimits } from '../../packages/server/src/limits/address-limits.ts';
import { leaseTimingOf } from '../../packages/server/src/propagation/lease.ts';
import { VerifierNode } from '../../packages/server/src/propagation/node.ts';
import { GrantingVerifier } from '../../packages/server/src/verification/granting-verifier.ts';
import { noRow } from '../../packages/server/src/verification/key-table.ts';
import { SecretCache } from '../../packages/server/src/verification/secret-cache.ts';
import type { SecretRead } from '../../packages/server/src/verification/secret-source.ts';
import { VerificationCounts } from '../../packages/server/src/verification/verification-counts.ts';
import { Verifier } from '../../packages/server/src/verification/verifier.ts';
import { unrestrictedKey } from '../support/verified-key.ts';
import type { Checker } from './checker.ts';
import type { Database } from './database.ts';
import type { Host } from './host.ts';
import type { Mutation } from './mutation.ts';
import type { SimulatedClusterStore } from './simulated-cluster-store.ts';
import type { World } from './world.ts';

/** The keys that every schedule uses. */
export const apiKeys = await Promise.all(
  ['a', 'b', 'c'].map(async (id) => {
    const secret = generateKey({ prefix: 'soku_' });
    const bytes = await hashKey(secret);
    return { id, secret, bytes, hash: Buffer.from(bytes).toString('latin1') };
  }),
);

export type ApiKey = (typeof apiKeys)[number];

const idOfHash = new Map(apiKeys.map(({ id, hash }) => [hash, id]));

interface Options {
  name: string;
  world: World;
  database: Database;
  host: Host;
  store: SimulatedClusterStore;
  checker: Checker;
  leaseMs: number;
  mutation: Mutation | undefined;
}

/** The protocol without mutations. */
const unchanged: Mutation = { name: '', exposedBy: 0 };

const shared = { addressLimits: new AddressLimits('off') };

/** One server: the real node of the protocol and the real verifier. */
export class Process {
  readonly node: VerifierNode;
  readonly name: string;
  readonly host: Host;
  readonly #options: Options;
  readonly #verifier: GrantingVerifier;
  readonly #cache: SecretCache;
  #leaving = false;
  #revoking = 0;

  constructor(options: Options) {
    this.#options = options;
    const { name, world, host, store, leaseMs, mutation = unchanged } = options;
    this.name = name;
    this.host = host;
    const cache = new SecretCache({ valid: 100, rejected: 100 });
    this.#cache = cache;
    const replicated = {
      evict: ({ hashes }: { hashes: Iterable<Uint8Array> }) => cache.evict(hashes),
      clear: () => cache.clear(),
    };
    const clock = mutation.clock?.(host.clock) ?? host.clock;
    const nodeOptions = {
      name,
      leaseMs,
      removeAfterMs: leaseMs * 3,
      store: mutation.store?.(store, name) ?? store,
      clock,
      schedule: host.schedule,
      newId: () => world.newId(),
      random: () => world.random.next(),
      cache: mutation.cache?.(replicated) ?? replicated,
      failed: () => undefined,
      recovered: () => undefined,
      instanceHandlers: {
        replaced: () => undefined,
        // Revokes return when a replica has them, so nothing that was confirmed is lost.
        reapply: async () => (mutation.trusts === undefined ? options.database.instance : ''),
        lostChanges: () => undefined,
      },
      ...mutation.options,
    };
    this.node = new VerifierNode(nodeOptions, mutation.parts?.(clock, leaseTimingOf(nodeOptions)));
    const verifier = new Verifier({
      secrets: { read: (hash) => this.#read(hash) },
      lease: { holds: (now) => mutation.holds?.(this.node, now) ?? this.node.holds(now) },
      cache,
      prefixes: ['soku_'],
      ...shared,
      counts: new VerificationCounts(),
      now: clock.wall,
      failed: () => undefined,
    });
    this.#verifier = new GrantingVerifier(verifier);
  }

  /** Number of unfinished revokes. A crashed process has none. */
  get revoking(): number {
    return this.host.alive ? this.#revoking : 0;
  }

  /** Whether it holds a lease and has applied all changes. A process that leaves need not. */
  get isUpToDate(): boolean {
    const { leaseMs, lag, appliedSeq } = this.node.status();
    return this.#leaving || (leaseMs > 0 && lag === 0 && appliedSeq === this.#options.database.head.seq);
  }

  /** Whether it has cached a key as valid and may verify from its cache. */
  acceptsFromCache({ hash }: ApiKey): boolean {
    if (this.#cache.sizes.valid === 0 || this.host.paused || !this.host.alive) return false;
    return this.#cache.valid.find(hash) !== noRow && this.node.holds(this.host.clock.wall());
  }

  /** Whether its row is committed, even if it has not received the response. */
  get hasRow(): boolean {
    return this.#options.database.nodes.has(this.node.status().id);
  }

  /** Whether it has read a head that a failover would lose, and has no lease yet. */
  get hasLosableHead(): boolean {
    const { registered, leaseMs } = this.node.status();
    return registered && leaseMs === 0 && this.#options.database.isAhead;
  }

  /** Whether it has also cached a key since then. */
  get hasCachedLosable(): boolean {
    return this.hasLosableHead && this.#cache.sizes.valid > 0;
  }

  /** Retries until it has started. */
  start(): void {
    this.node.start().catch(() => this.host.schedule(() => this.start(), 100));
  }

  verify(key: ApiKey): void {
    const { checker, host } = this.#options;
    const invoked = checker.invoke();
    host.deliver(() => {
      const result = this.#verifier.verifyKey(key.secret, { recorded: false, limited: false });
      if (result instanceof Promise) {
        void result.then((settled) => checker.verified(key.id, invoked, settled, this.name));
      } else checker.verified(key.id, invoked, result, this.name);
    });
  }

  /** @param returned called when the revoke returns */
  async revoke(key: ApiKey, returned: () => void): Promise<void> {
    if (this.#leaving) return;
    this.#options.checker.revoking(key.id);
    this.#revoking += 1;
    try {
      await this.#revoke(key);
      returned();
    } finally {
      this.#revoking -= 1;
    }
  }

  async #revoke(key: ApiKey): Promise<void> {
    const { checker, mutation } = this.#options;
    const { clock, pausedMs } = this.host;
    const sentAt = clock.monotonic();
    await this.#change(key, true);
    const committedAt = clock.monotonic();
    await (mutation?.settle?.(this.node, sentAt, committedAt) ?? this.node.settle(committedAt));
    checker.revoked(key.id);
    if (this.host.pausedMs === pausedMs) this.#checkBound(clock.monotonic() - committedAt);
  }

  async rename(key: ApiKey): Promise<void> {
    await this.#change(key, false);
    await this.node.settle(this.host.clock.monotonic());
  }

  /** Shuts down normally. */
  async leave(): Promise<void> {
    this.#leaving = true;
    await this.node.stop();
  }

  #checkBound(waited: number): void {
    const { leaseMs, checker } = this.#options;
    if (waited > leaseMs * 1.1 + 3) checker.fail(`a revoke on ${this.name} waited for ${waited} ms`);
  }

  /** @param revoke true to revoke the key, false to rename it */
  #change({ id, bytes }: ApiKey, revoke: boolean): Promise<void> {
    const { database, store, world } = this.#options;
    return store.execute({
      lock: 'head',
      snapshot: () => undefined,
      write: () => {
        // A repeated revoke is published again: its commit waits for a replica that may lack the first one.
        const first = revoke && database.keys.get(id)?.revoked !== true;
        return database.change(id, [bytes], world.newId(), first ? { revoked: true } : undefined);
      },
      result: () => undefined,
    });
  }

  async #read(hash: string): Promise<SecretRead> {
    const { database, store, mutation } = this.#options;
    const id = idOfHash.get(hash) ?? '';
    const ticket = this.node.beginRead();
    const { head, isRevoked, instance } = await store.execute({
      snapshot: () => ({
        head: database.head,
        isRevoked: database.keys.get(id)?.revoked === true,
        instance: database.instance,
      }),
      result: (snapshot) => snapshot,
    });
    if (!(mutation?.trusts?.() ?? this.node.trusts(instance))) throw new Error('another instance');
    return {
      stored: isRevoked
        ? { ended: { standing: 'revoked', keyId: id, workspaceId: verifiedKey(id).workspaceId, since: 0 } }
        : { key: verifiedKey(id) },
      mayCache: () => mutation?.mayCache?.(this.node, ticket, head) ?? this.node.mayCache(ticket, head),
    };
  }
}

function verifiedKey(id: string) {
  return { ...unrestrictedKey, keyId: id, workspaceId: 'ws', name: id };
}
