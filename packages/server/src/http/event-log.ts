import type { ErrorCode } from '@soku/contract/error-codes';
import type { FastifyRequest } from 'fastify';
import type { Caller } from './caller.ts';
import type { ClientAddress } from './client-address.ts';
import { RequestError } from './errors.ts';
import { throttle } from './logging.ts';

/** The messages of security events. They are stable, because operators search for them. */
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
  | 'keys revoked'
  | 'key rotated'
  | 'secret retired'
  | 'scopes changed'
  | 'keys imported'
  | 'webhook created'
  | 'webhook changed'
  | 'webhook deleted'
  | 'webhook secret rotated'
  | 'workspace settings changed'
  | 'notifications changed'
  | 'leaked keys reported';

/** Only IDs: no name, email address or header, because typed text may be a password or a key. */
interface Ids {
  accountId?: string | undefined;
  keyId?: string;
  secretId?: string;
  workspaceId?: string;
  webhookId?: string;
  /** The key that made the call. */
  callerKeyId?: string;
  /** Number of keys created by the key that were revoked with it. */
  descendants?: number;
  /** Number of keys that a call revoked. */
  keys?: number;
  /** Number of imported keys, and of those that the workspace already had. */
  imported?: number;
  unchanged?: number;
  /** Why it was rejected. */
  code?: ErrorCode;
  /** Number of further events since the last line, which were not logged individually. */
  suppressed?: number;
}

export type LogEvent = (request: FastifyRequest, event: Event, ids: Ids) => void;

/** Logs each security event at `info`, with the client's address and the request ID (ASVS 5.0 16.3). */
export function createEventLog(addressOf: ClientAddress): LogEvent {
  return (request, event, ids) => request.log.info({ ...ids, address: addressOf(request.raw) }, event);
}

/** The IDs of a caller. */
export function callerIds({ actor: { kind, id }, workspaceId }: Caller): Ids {
  return { ...(kind === 'person' ? { accountId: id } : { callerKeyId: id }), workspaceId };
}

/** ms between two lines of the same kind. */
const rejectedInterval = 10_000;

/**
 * An onError hook that logs requests that were rejected before their password was checked: the first immediately, then
 * at most one every ten seconds, with the number of those in between, so that a flood of requests does not fill the
 * disk.
 */
export function createRejectionLog(logEvent: LogEvent) {
  const logs = new Map(
    (['rate_limited', 'server_busy'] as const).map((code) => [
      code,
      throttle<FastifyRequest>(rejectedInterval, (request, suppressed) =>
        logEvent(request, 'password attempts rejected', { code, suppressed }),
      ),
    ]),
  );
  return async (request: FastifyRequest, _reply: unknown, error: unknown): Promise<void> => {
    if (!(error instanceof RequestError)) return;
    for (const [code, log] of logs) if (code === error.problem.code) log(request);
  };
}
