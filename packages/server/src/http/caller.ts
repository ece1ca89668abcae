import type { Actor } from '@soku/contract/audit';
import type { Environment } from '@soku/contract/key-policy';
import type { BuiltInScope } from '@soku/contract/scopes';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

/** The authenticated caller of a management endpoint: a person with a session, or a key. */
export interface Caller {
  /** Kind: person or key. */
  actor: Actor;
  workspaceId: string;
  /** The grants of the key, as stored; for a person all built-in scopes. */
  scopes: readonly string[];
  /** That of the key; `live` for a person. New keys get it unless the call says otherwise. */
  environment: Environment;
  /** The SHA-256 of the secret that the key sent; null for a person. */
  secretHash: Uint8Array | null;
}

/** A calling key. */
export interface CallingKey {
  id: string;
  secretHash: Uint8Array;
  /** The IP address of the client; undefined if it is unknown. */
  address: string | undefined;
}

/** @returns null for a person */
export function callingKeyOf({ actor, secretHash }: Caller): CallingKey | null {
  return secretHash === null ? null : { id: actor.id, secretHash, address: actor.address ?? undefined };
}

type Hook = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>;

/** Authenticates callers for the routes of all features (implemented in keys/callers.ts). */
export interface Callers {
  /**
   * The hooks of an endpoint. They authenticate the caller twice: before the body is read, so that a stranger learns
   * nothing but how to send a key; and again after the body, because a slow body may arrive after the key was revoked
   * or the session ended (ASVS 5.0 8.3.2).
   *
   * @param needs the scope that a key must have for this call
   * @param options `recentLogin`: whether a person must have signed in recently; `limited: false`: the key's own limit
   *   does not apply; `person: false`: only a key may call; `key: false`: only a person may call
   */
  require(
    needs: BuiltInScope,
    options?: { recentLogin?: boolean; limited?: false; person?: false; key?: false },
  ): { onRequest: Hook; preHandler: Hook };
  /**
   * Authenticates the caller of a long response again, without counting a request.
   *
   * @throws {RequestError} when the key was revoked or the session ended meanwhile
   */
  reauthenticate(request: FastifyRequest, needs: BuiltInScope): Promise<void>;
  /** The caller that the hooks have authenticated. */
  of(request: FastifyRequest): Caller;
}

/** The header that makes a repeated call harmless, for the schemas of the endpoints. */
export const idempotencyHeader = {
  'idempotency-key': z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe('A repeated call with the same value within 24 hours changes nothing; it returns a 409'),
};

/** The header with which a caller selects a workspace, for the schemas of the endpoints. */
export const workspaceHeader = z.object({
  'x-soku-workspace': z
    .string()
    .max(64)
    .optional()
    .describe('Default: the workspace of the session or the key'),
});
