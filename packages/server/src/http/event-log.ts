import type { FastifyRequest } from 'fastify';
import type { Caller } from '../keys/service.ts';
import type { ClientAddress } from './client-address.ts';

/** What happened, in words that stay: operators search for them. */
type Event =
  | 'signed in'
  | 'sign-in failed'
  | 'signed out'
  | 'sessions ended'
  | 'account created'
  | 'account name changed'
  | 'password changed'
  | 'key created'
  | 'key changed'
  | 'key revoked'
  | 'workspace settings changed';

/** Ids only: no name, e-mail address or header that somebody typed, which may be a password or a key. */
interface Ids {
  accountId?: string | undefined;
  keyId?: string;
  workspaceId?: string;
  /** The key that made the call. */
  callerKeyId?: string;
  /** How many keys that it created were revoked with it. */
  descendants?: number;
}

export type LogEvent = (request: FastifyRequest, event: Event, ids: Ids) => void;

/** Writes a line at `info`, with the client's address and the request's id, for each security event (ASVS 5.0 16.3). */
export function eventLog(addressOf: ClientAddress): LogEvent {
  return (request, event, ids) => request.log.info({ ...ids, address: addressOf(request.raw) }, event);
}

/** The ids of who calls. */
export function idsOf({ kind, id, workspaceId }: Caller): Ids {
  return { ...(kind === 'person' ? { accountId: id } : { callerKeyId: id }), workspaceId };
}
