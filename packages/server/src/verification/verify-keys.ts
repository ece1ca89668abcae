import type { verificationSchema, verificationsSchema, verifyKeySchema } from '@soku/contract/verification';
import type { z } from 'zod';
import { parseStoredMetadata } from '../database/stored-metadata.ts';
import { canonicalAddress } from '../http/address.ts';
import { unknownClient } from '../http/client-address.ts';
import type { ApiProblem } from '../http/errors.ts';
import type { LimitState } from '../limits/sliding-window.ts';
import type { GrantingVerifier } from './granting-verifier.ts';
import type { KeyTable } from './key-table.ts';
import type { MaybePromise, Rejected, VerifyOptions } from './result.ts';

type Verification = z.input<typeof verificationSchema>;

/** The body of a response, or the rejection of the call. */
type CallResult<Body> = { body: Body; problem?: never } | { body?: never; problem: ApiProblem };

interface CallingKey {
  /** The workspace of the calling key. Keys of other workspaces are described in less detail. */
  workspaceId: string;
  /** Which keys it may verify. Other keys are unknown to it. */
  scope: 'workspace' | 'deployment';
}

/** Handles `POST /v1/verify`. */
export async function verifyKeys(
  verifier: Pick<GrantingVerifier, 'verifyToken'>,
  { apiKey, apiKeys, scopes, ip }: z.output<typeof verifyKeySchema>,
  { workspaceId, scope }: CallingKey,
): Promise<CallResult<Verification | z.input<typeof verificationsSchema>>> {
  const options: VerifyOptions = { needs: scopes, address: addressOf(ip) };
  if (scope === 'workspace') options.workspaceId = workspaceId;
  const accept = (keys: KeyTable, row: number, limit: LimitState | null) =>
    accepted(keys, row, limit, workspaceId);
  const verify = (key: string) => verifier.verifyToken(key, { options, userAgent: '', accept });
  if (apiKey !== undefined) return describe(await verify(apiKey));
  const read = async (key: string) => {
    const unrecorded = { ...options, recorded: false, limited: false };
    await verifier.verifyToken(key, { options: unrecorded, userAgent: '', accept });
  };
  const data: Verification[] = [];
  for (const result of await verifyInOrder(apiKeys ?? [], verify, read)) {
    const { body, problem } = describe(result);
    if (problem !== undefined) return { problem };
    data.push(body);
  }
  return { body: { data } };
}

/**
 * Verifies keys in their order, because those that come first count first against a limit that they share. Secrets that
 * are not cached would be decided in the order in which the database returns them, so they are read before.
 *
 * @param verify returns a promise if the key is not cached, or needs a grant
 * @param read reads a secret into the cache, and counts nothing
 */
async function verifyInOrder<T>(
  keys: readonly string[],
  verify: (key: string) => MaybePromise<T>,
  read: (key: string) => Promise<void>,
): Promise<T[]> {
  const results: T[] = [];
  for (const [i, key] of keys.entries()) {
    const result = verify(key);
    if (result instanceof Promise) {
      const rest = keys.slice(i + 1);
      const [first] = await Promise.all([result, ...[...new Set(rest)].map(read)]);
      return [...results, first, ...(await Promise.all(rest.map(verify)))];
    }
    results.push(result);
  }
  return results;
}

function addressOf(ip: string | undefined): string | undefined {
  return ip === undefined ? undefined : (canonicalAddress(ip) ?? unknownClient);
}

/** A key that could not be checked is neither valid nor invalid. */
function describe(result: Verification | Rejected): CallResult<Verification> {
  if ('valid' in result) return { body: result };
  const { problem } = result;
  return problem.code === 'verification_unavailable' ? { problem } : { body: rejected(result) };
}

function accepted(
  keys: KeyTable,
  row: number,
  limit: LimitState | null,
  callerWorkspaceId: string,
): Verification {
  const {
    keyId: id,
    workspaceId,
    name,
    scopes,
    expiresAt,
    environment,
    externalId,
    metadata,
  } = keys.read(row);
  const ends = Number.isFinite(expiresAt) ? new Date(expiresAt).toISOString() : null;
  return {
    valid: true,
    code: 'valid',
    key: {
      id,
      workspaceId,
      name,
      scopes: [...scopes],
      ...(workspaceId === callerWorkspaceId && {
        environment,
        expiresAt: ends,
        externalId,
        metadata: parseStoredMetadata(metadata),
      }),
    },
    rateLimit: rateLimitState(limit),
  };
}

function rejected({ problem, limit }: Rejected): Verification {
  const { code, message, headers } = problem;
  return {
    valid: false,
    code,
    message,
    ...(limit === undefined ? {} : { rateLimit: rateLimitState(limit) }),
    ...(code === 'rate_limited' ? { retryAfterSeconds: Number(headers?.['retry-after']) } : {}),
  };
}

/** The rate-limit state of a key, for a response body. */
export function rateLimitState(limit: LimitState | null) {
  if (limit === null) return null;
  const { limit: quota, remaining, resetSeconds } = limit;
  return { limit: quota, remaining, resetSeconds };
}
