import { RequestError } from '../http/errors.ts';

/** For an id that the workspace does not have: also that of a key of another workspace. */
export function keyNotFound(): RequestError {
  return new RequestError({ code: 'not_found', message: 'No key with this id exists in this workspace.' });
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
