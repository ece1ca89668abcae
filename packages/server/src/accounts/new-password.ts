import { RequestError } from '../http/errors.ts';
import type { PasswordHasher } from './password-hasher.ts';

/**
 * Rejects the passwords that attackers guess first: common ones and the account's email address (ASVS 5.0 6.2.4,
 * 6.2.11).
 *
 * @param field the request field with the password
 * @throws {RequestError} invalid_request
 */
export async function checkNewPassword(
  passwords: PasswordHasher,
  { email, password }: { email: string; password: string },
  field = 'password',
): Promise<void> {
  const problem = isEmail(password, email)
    ? 'must not be your email address'
    : (await passwords.isCommon(password))
      ? 'is a common password that is easy to guess; choose another one'
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
