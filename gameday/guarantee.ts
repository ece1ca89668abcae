/** What Soku guarantees about each verification, whatever fails. */
import { errorSchema } from '@soku/contract/errors';
import type { RawResponse } from '../test/support/http-socket.ts';
import type { RoundTrip } from '../test/torture/reconnecting-connection.ts';

/** A key, and what its clients know about it. Times are ms of the clock of RoundTrip. */
export interface KnownKey {
  id: string;
  apiKey: string;
  /** The key that may revoke it. */
  manager: string;
  /** When its first revoke was sent. */
  revokeSentAt: number | null;
  /** When the first revoke that was successful had returned. */
  revokedAt: number | null;
}

interface Outcome {
  /** Whether a revoke of the key had been sent when the response arrived. */
  kind: 'valid key' | 'revoked key';
  /** Status and code. */
  label: string;
  isFailure: boolean;
  /** The guarantee that it violates. */
  broken: string | null;
}

/** Judges a verification. A failure to verify violates no guarantee: a key that cannot be checked is not accepted. */
export function judgeVerification(key: KnownKey, roundTrip: RoundTrip): Outcome {
  const { sentAt, receivedAt, response } = roundTrip;
  const label = formatOutcome(response);
  const isAccepted = response !== undefined && response.status < 300;
  const isRevoking = key.revokeSentAt !== null && key.revokeSentAt <= receivedAt;
  const kind = isRevoking ? 'revoked key' : 'valid key';
  if (isAccepted && key.revokedAt !== null && sentAt > key.revokedAt) {
    const lateMs = (sentAt - key.revokedAt).toFixed(0);
    const broken = `a revoked key was accepted, in a request sent ${lateMs} ms after its revoke had returned`;
    return { kind, label, isFailure: false, broken };
  }
  if (isAccepted && isRevoking)
    return { kind, label: `${label} before the revoke returned`, isFailure: false, broken: null };
  if (isAccepted || (isRevoking && label === '401 revoked_key'))
    return { kind, label, isFailure: false, broken: null };
  const isFailure = response === undefined || response.status >= 502;
  return { kind, label, isFailure, broken: isFailure ? null : `a ${kind} got ${label}` };
}

/** The status and the code of a response, such as `401 revoked_key`. */
export function formatOutcome(response: RawResponse | undefined): string {
  if (response === undefined) return 'no response';
  const { status, body } = response;
  if (status < 300) return String(status);
  // The load balancer responds with a page.
  if (body.startsWith('<')) return `${status} of the load balancer`;
  return `${status} ${errorSchema.parse(JSON.parse(body)).error.code}`;
}
