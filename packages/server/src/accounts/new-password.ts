import { RequestError } from '../http/errors.ts';
import type { PasswordHasher } from './password-hasher.ts';

/**
 * Rejects the first guesses of an attacker: common passwords, and the account's e-mail address (ASVS 5.0 6.2.4,
 * 6.2.11).
 *
 * @param field of the request that has the password
 * @throws {RequestError} invalid_request
 */
export async function checkNewPassword(
  passwords: PasswordHasher,
  { email, password }: { email: string; password: string },
  field = 'password',
): Promise<void> {
  const problem = isEmail(password, email)
    ? 'must not be your e-mail address'
    : (await passwords.isCommon(password))
      ? 'is a common password, which is guessed first; choose another one'
      : undefined;
  if (problem === undefined) return;
  throw new RequestError({
    code: 'invalid_request',
    message: `The password ${problem}.`,
    details: [{ path: field, problem }],
  });
}

function isEmail(password: string, email: string): boolean {
  const folded = password.normalize('NFKC').trim().toLowerCase();
  const [localPart] = email.toLowerCase().split('@');
  return folded === email.toLowerCase() || folded === localPart;
}
