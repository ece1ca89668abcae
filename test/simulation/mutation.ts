import type { Clock } from '../../packages/server/src/propagation/clock.ts';
import type { Cache, Ticket } from '../../packages/server/src/propagation/feed.ts';
import type { Terms } from '../../packages/server/src/propagation/lease.ts';
import type { FeedLink, Head } from '../../packages/server/src/propagation/link.ts';
import type { NodeOptions, NodeParts, VerifierNode } from '../../packages/server/src/propagation/node.ts';

/** A deliberate mistake. It can replace every input of a node, and every call to it. */
export interface Mutation {
  /** The rule of the protocol that is omitted. */
  name: string;
  /** The first seed whose schedule showed it, which is tried first. After a change of the protocol it may be another one. */
  shownBy: number;
  link?(link: FeedLink, name: string): FeedLink;
  clock?(clock: Clock): Clock;
  cache?(cache: Cache): Cache;
  options?: Partial<NodeOptions>;
  parts?(clock: Clock, terms: Terms): Partial<NodeParts>;
  holds?(node: VerifierNode, wallNow: number): boolean;
  mayCache?(node: VerifierNode, ticket: Ticket, head: Head): boolean;
  settle?(node: VerifierNode, sentAt: number, answeredAt: number): Promise<unknown>;
}
