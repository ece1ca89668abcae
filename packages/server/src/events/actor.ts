import { userInfo } from 'node:os';
import type { Actor } from '@soku/contract/audit';
import type { FastifyRequest } from 'fastify';
import { unknownClient } from '../http/client-address.ts';
import { cleanUserAgent } from '../http/user-agent.ts';

/** Where a request comes from, as its events show it. */
export type Origin = Pick<Actor, 'address' | 'userAgent' | 'requestId'>;

export const noOrigin: Origin = { address: null, userAgent: null, requestId: null };

/** @param address of the client, as http/client-address.ts returns it */
export function originOf(request: FastifyRequest, address: string): Origin {
  const agent = request.headers['user-agent'];
  return {
    address: address === unknownClient ? null : address,
    userAgent: agent === undefined ? null : cleanUserAgent(agent),
    requestId: request.id,
  };
}

/** What the server does by itself. */
export const systemActor: Actor = { kind: 'system', id: 'system', name: 'Soku', ...noOrigin };

/** The person at a shell of the server's machine, by the name of its user there. */
export function operatorActor(): Actor {
  return { kind: 'operator', id: 'operator', name: nameOfUser(), ...noOrigin };
}

/** A container's user often has no name. */
function nameOfUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? ''}`.trim();
  }
}
