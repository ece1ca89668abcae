import { RequestError } from '../http/errors.ts';

// Rejections that several key commands share.

export function keyNotFound(): RequestError {
  return new RequestError({ code: 'not_found', message: 'No key with this id exists in this workspace.' });
}

/** The calling key was revoked, or its secret retired, after the call was authenticated. */
export function callerRevoked(): RequestError {
  return new RequestError({
    code: 'revoked_key',
    message: 'This key was revoked while it was creating or changing another key.',
  });
}

/** The earlier call can have created, rotated or imported keys, so the key that the error names may be in use. */
const lostResponse = {
  create: 'If it created a key and its response was lost, revoke that key. Then create another one',
  rotate: 'If its response was lost, rotate the key again',
};

/**
 * @param keyId the key that the earlier call created or rotated; null if it concerned several keys
 * @param repeated the call that is rejected
 */
export function idempotencyReplayed(keyId: string | null, repeated: keyof typeof lostResponse): RequestError {
  return new RequestError({
    code: 'idempotency_replayed',
    message: `A call with this Idempotency-Key was already carried out. If it created or rotated a key, only its response contained the full key. ${lostResponse[repeated]} with a new Idempotency-Key.`,
    details: [{ path: 'Idempotency-Key', problem: 'was already used', ...(keyId !== null && { keyId }) }],
  });
}

/** @param missing those of `ids` that the workspace does not have */
export function keysNotFound(ids: readonly string[], missing: readonly string[]): RequestError {
  const count = missing.length === 1 ? '1 of these keys does' : `${missing.length} of these keys do`;
  return new RequestError({
    code: 'not_found',
    message: `${count} not exist in this workspace. No key was revoked. Remove the ids in details, and repeat the call.`,
    details: missing.map((keyId) => ({
      path: `ids.${ids.indexOf(keyId)}`,
      problem: 'does not exist in this workspace',
      keyId,
    })),
  });
}
