import { RequestError } from '../http/errors.ts';

/** For an id that the workspace does not have: also that of a key of another workspace. */
export function keyNotFound(): RequestError {
  return new RequestError({ code: 'not_found', message: 'No key with this id exists in this workspace.' });
}
