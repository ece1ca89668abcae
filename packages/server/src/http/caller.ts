import type { Actor } from '@soku/contract/audit';
import type { Scope } from '@soku/contract/scopes';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

/** Who calls a management endpoint, once that is settled: a person in a session, or a key. */
export interface Caller {
  /** Kind: person or key. */
  actor: Actor;
  workspaceId: string;
  /** What the caller may hand on to a new key, as stored. A person may hand on everything. */
  scopes: readonly string[];
  /** Epoch ms; a key that ends cannot make one that outlives it. Infinity for a person. */
  expiresAt: number;
}

type Hook = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>;

/** How the routes of every feature learn who calls (keys/callers.ts). */
export interface Callers {
  /**
   * The hooks of an endpoint. They settle the caller twice: before the body is read, so that a stranger learns
   * nothing but how to send a key; and again when a body has arrived, because a body can be sent so slowly that the
   * key is revoked, or the session ended, meanwhile (ASVS 5.0 8.3.2).
   *
   * @param needs the scope that a key must have for this call
   * @param options `recentLogin`: whether a person must have signed in lately for it; `limited: false`: a key's
   *   own limit does not count; `person: false`: only a key may call
   */
  require(
    needs: Scope,
    options?: { recentLogin?: boolean; limited?: false; person?: false },
  ): { onRequest: Hook; preHandler: Hook };
  /**
   * Settles the caller of a long response once more; nothing is counted.
   *
   * @throws {RequestError} when the key was revoked or the session ended since
   */
  demandAgain(request: FastifyRequest, needs: Scope): Promise<void>;
  /** Whom the hooks found. */
  of(request: FastifyRequest): Caller;
}

/** The field in which a caller names the workspace that it means, for the schemas of the endpoints. */
export const workspaceHeader = z.object({
  'x-soku-workspace': z
    .string()
    .max(64)
    .optional()
    .describe('Default: the workspace of the session or the key'),
});
