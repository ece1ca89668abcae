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
  const message = wait(error) ?? words[code];
  if (message === undefined) return new ApiError({ status, code, message: error.message, requestId });
  return new ApiError({ status, code, message });
}

/** What to say when the same attempt succeeds later. */
function wait({ status, code, retryAfter }: ApiError): string | undefined {
  if (status === 429) return `Too many tries. ${later(retryAfter)}`;
  if (code === 'server_busy') return `Too many people are signing in at the moment. ${later(retryAfter)}`;
  return undefined;
}

function later(seconds: number | undefined): string {
  if (seconds === undefined) return 'Wait a minute, then try again.';
  if (seconds > 90) return `Try again in ${Math.ceil(seconds / 60)} minutes.`;
  return `Try again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`;
}
