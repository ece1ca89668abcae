import { userInfo } from 'node:os';
import type { Actor } from '@soku/contract/audit';
import type { FastifyRequest } from 'fastify';
import { unknownClient } from '../http/client-address.ts';
import { cleanUserAgent } from '../http/user-agent.ts';

/** The origin of a request, as recorded in its events. */
export type Origin = Pick<Actor, 'address' | 'userAgent' | 'requestId'>;

export const noOrigin: Origin = { address: null, userAgent: null, requestId: null };

/** @param address the client's address, as http/client-address.ts returns it */
export function originOf(request: FastifyRequest, address: string): Origin {
  const agent = request.headers['user-agent'];
  return {
    address: address === unknownClient ? null : address,
    userAgent: agent === undefined ? null : cleanUserAgent(agent),
    requestId: request.id,
  };
}

/** The actor of actions that the server performs on its own. */
export const systemActor: Actor = { kind: 'system', id: 'system', name: 'Soku', ...noOrigin };

/** The person who runs a command on the server, identified by operating system user. */
export function operatorActor(): Actor {
  return { kind: 'operator', id: 'operator', name: nameOfUser(), ...noOrigin };
}

/** The name of the operating system user. In a container, the user often has no name. */
function nameOfUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? ''}`.trim();
  }
}
