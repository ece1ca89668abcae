import { ApiError } from '../api/client.ts';

const words: Record<string, string> = {
  INVALID_EMAIL_OR_PASSWORD: 'The e-mail address or the password is wrong.',
  INVALID_PASSWORD: 'The current password is wrong.',
  PASSWORD_TOO_SHORT: 'The new password is too short.',
  PASSWORD_TOO_LONG: 'The new password is too long.',
};

/** The auth library's refusals in our words; everything else as it came. */
export function authProblem(error: unknown): Error {
  if (!(error instanceof ApiError))
    return error instanceof Error ? error : new Error('Something went wrong.');
  const { requestId, status, code } = error;
  const message = status === 429 ? tooMany(error.retryAfter) : (words[code] ?? error.message);
  return new ApiError({ status, code, message, requestId: words[code] ? undefined : requestId });
}

function tooMany(seconds: number | undefined): string {
  if (seconds === undefined) return 'Too many tries. Wait a minute, then try again.';
  return `Too many tries. Try again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`;
}
