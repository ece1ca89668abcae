import type { Clock } from '../clock.ts';
import type { Cache, Ticket } from '../feed.ts';
import type { Terms } from '../lease.ts';
import type { FeedLink, Head } from '../link.ts';
import type { NodeOptions, NodeParts, VerifierNode } from '../node.ts';

/** What a mistake can get hold of: everything that a node is given, and everything that is asked of it. */
export interface Mutation {
  /** The sentence of the protocol that is left out. */
  name: string;
  link?(link: FeedLink, name: string): FeedLink;
  clock?(clock: Clock): Clock;
  cache?(cache: Cache): Cache;
  options?: Partial<NodeOptions>;
  parts?(clock: Clock, terms: Terms): Partial<NodeParts>;
  holds?(node: VerifierNode, wallNow: number): boolean;
  mayKeep?(node: VerifierNode, ticket: Ticket, head: Head): boolean;
  settle?(node: VerifierNode, sentAt: number, answeredAt: number): Promise<unknown>;
}
