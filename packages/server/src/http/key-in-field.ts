import { RequestError } from './errors.ts';

/**
 * The rejection of a text in which someone pasted a key: it would be stored and displayed permanently.
 *
 * @param path of the field
 * @param what the field contains
 */
export function keyInFieldError(path: string, what: 'text' | 'value'): RequestError {
  return new RequestError({
    code: 'invalid_request',
    message: `The field ${path} contains an API key. It is stored and displayed, so choose another ${what}.`,
    details: [{ path, problem: 'must not contain an API key' }],
  });
}
