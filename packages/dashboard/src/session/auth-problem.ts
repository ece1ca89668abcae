import { ApiError } from '../api/client.ts';

const messages: Record<string, string> = {
  INVALID_EMAIL_OR_PASSWORD: 'The email address or password is incorrect.',
  INVALID_PASSWORD: 'The current password is incorrect.',
  PASSWORD_TOO_SHORT: 'The new password is too short.',
  PASSWORD_TOO_LONG: 'The new password is too long.',
};

/** Replaces the messages of the auth library with our own. Other errors stay unchanged. */
export function toAuthError(error: unknown): Error {
  if (!(error instanceof ApiError))
    return error instanceof Error ? error : new Error('Something went wrong.');
  const { requestId, status, code } = error;
  const message = waitMessage(error) ?? messages[code];
  if (message === undefined) return new ApiError({ status, code, message: error.message, requestId });
  return new ApiError({ status, code, message });
}

/** The message for an attempt that can succeed later. */
function waitMessage({ status, code, retryAfter }: ApiError): string | undefined {
  if (status === 429) return `Too many attempts. ${retryHint(retryAfter)}`;
  if (code === 'server_busy') return `Too many people are signing in right now. ${retryHint(retryAfter)}`;
  return undefined;
}

function retryHint(seconds: number | undefined): string {
  if (seconds === undefined) return 'Wait a minute, then try again.';
  if (seconds > 90) return `Try again in ${Math.ceil(seconds / 60)} minutes.`;
  return `Try again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`;
}
