import type { ErrorCode } from '@soku/contract/error-codes';
import type { FastifyRequest } from 'fastify';
import type { Caller } from './caller.ts';
import type { ClientAddress } from './client-address.ts';
import { RequestError } from './errors.ts';
import { atMostEvery } from './logging.ts';

/** What happened, in words that stay: operators search for them. */
type Event =
  | 'signed in'
  | 'sign-in failed'
  | 'password attempts rejected'
  | 'signed out'
  | 'sessions ended'
  | 'account created'
  | 'account name changed'
  | 'password changed'
  | 'password change failed'
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
  /** Why it was rejected. */
  code?: ErrorCode;
  /** How many more there were that have no line of their own. */
  unsaid?: number;
}

export type LogEvent = (request: FastifyRequest, event: Event, ids: Ids) => void;

/** Writes a line at `info`, with the client's address and the request's id, for each security event (ASVS 5.0 16.3). */
export function eventLog(addressOf: ClientAddress): LogEvent {
  return (request, event, ids) => request.log.info({ ...ids, address: addressOf(request.raw) }, event);
}

/** The ids of who calls. */
export function idsOf({ actor: { kind, id }, workspaceId }: Caller): Ids {
  return { ...(kind === 'person' ? { accountId: id } : { callerKeyId: id }), workspaceId };
}

/** ms between two lines of the same kind. */
const rejectedInterval = 10_000;

/**
 * Logs requests that were rejected before anything looked at their password: the first at once, and then one in ten
 * seconds, with the number of those between. A hook onError. Whoever floods the server with them does not fill the disk with lines.
 */
export function rejectedLog(logEvent: LogEvent) {
  const logs = new Map(
    (['rate_limited', 'server_busy'] as const).map((code) => [
      code,
      atMostEvery<FastifyRequest>(rejectedInterval, (request, unsaid) =>
        logEvent(request, 'password attempts rejected', { code, unsaid }),
      ),
    ]),
  );
  return async (request: FastifyRequest, _reply: unknown, error: unknown): Promise<void> => {
    if (!(error instanceof RequestError)) return;
    for (const [code, log] of logs) if (code === error.refusal.code) log(request);
  };
}
