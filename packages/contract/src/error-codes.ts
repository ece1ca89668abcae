/**
 * Every error that Soku returns, one row per code. The Public API, the OpenAPI document and the troubleshooting page
 * are generated from this table, so a code cannot exist in one and be missing in another.
 */

export type ErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'permission_error'
  | 'rate_limit_error'
  | 'api_error';

/**
 * The `error` of `WWW-Authenticate: Bearer realm="soku"` (RFC 6750 section 3): none when the request has no usable
 * credentials, otherwise the error name that the RFC defines.
 */
type Challenge = 'realm' | 'invalid_request' | 'invalid_token' | 'insufficient_scope';

export interface ErrorRow {
  status: number;
  type: ErrorType;
  /** The headline on the troubleshooting page. */
  title: string;
  /** When the error occurs, for the troubleshooting page. */
  cause: string;
  /** How to fix it, for the troubleshooting page. */
  remedy: string;
  challenge?: Challenge;
}

export const errorCodes = {
  // 401: the credentials are missing or invalid.
  missing_authorization: {
    status: 401,
    type: 'authentication_error',
    title: 'No API key was sent',
    cause: 'The request has no Authorization header.',
    remedy: 'Send the header "Authorization: Bearer " followed by your API key with every request.',
    challenge: 'realm',
  },
  key_in_query: {
    status: 401,
    type: 'authentication_error',
    title: 'The key is in the URL',
    cause:
      'A query parameter (api_key, apikey, key, token or access_token) contains what looks like an API key. URLs end up in logs, browser histories and analytics.',
    remedy: 'Treat this key as leaked: revoke it, create a new one, and send it in the Authorization header.',
    challenge: 'invalid_request',
  },
  wrong_header: {
    status: 401,
    type: 'authentication_error',
    title: 'The key is in the wrong header',
    cause: 'The key was sent in a header such as X-API-Key or Api-Key, which Soku does not read.',
    remedy: 'Send the header "Authorization: Bearer " followed by the key instead.',
    challenge: 'realm',
  },
  missing_bearer: {
    status: 401,
    type: 'authentication_error',
    title: 'The word Bearer is missing',
    cause: 'The Authorization header contains only the key.',
    remedy: 'Write "Bearer " (with one space) before the key.',
    challenge: 'realm',
  },
  unsupported_scheme: {
    status: 401,
    type: 'authentication_error',
    title: 'The authorization scheme is not Bearer',
    cause: 'The Authorization header starts with a scheme such as Basic, Digest or Token.',
    remedy: 'Use the Bearer scheme: "Authorization: Bearer " followed by the key.',
    challenge: 'realm',
  },
  malformed_authorization: {
    status: 401,
    type: 'authentication_error',
    title: 'The Authorization header is malformed',
    cause:
      'The header has extra spaces, a tab, quotes or angle brackets around the key, "Bearer" twice, or no key, or it was sent twice.',
    remedy: 'Send the header once, with one space: "Authorization: Bearer " followed by the key alone.',
    challenge: 'invalid_request',
  },
  missing_prefix: {
    status: 401,
    type: 'authentication_error',
    title: 'The key prefix is missing',
    cause: 'The 32 characters of a key were sent without the prefix.',
    remedy: 'Copy the whole key, including its prefix.',
    challenge: 'invalid_token',
  },
  key_preview: {
    status: 401,
    type: 'authentication_error',
    title: 'A key preview was sent instead of the key',
    cause: 'The request contains the shortened form from the key list, not the key.',
    remedy: 'Send the full key. It is shown only once, when it is created. If it is lost, create a new one.',
    challenge: 'invalid_token',
  },
  malformed_key: {
    status: 401,
    type: 'authentication_error',
    title: 'The key has the wrong length or an invalid character',
    cause:
      'Part of the key was cut off, something was added, or the text is not a key at all (such as the name of a variable).',
    remedy: 'Copy the whole key again, without quotes or line breaks. The message says what is wrong.',
    challenge: 'invalid_token',
  },
  mistyped_key: {
    status: 401,
    type: 'authentication_error',
    title: 'The key contains a typo',
    cause: 'The checksum at the end of the key does not match. Soku detects this without a database lookup.',
    remedy: 'Copy the key again instead of typing it.',
    challenge: 'invalid_token',
  },
  unknown_key: {
    status: 401,
    type: 'authentication_error',
    title: 'Unknown key',
    cause:
      'The key is well formed, but it was not created in this deployment, or it was deleted with its account.',
    remedy: 'Check that you are calling the right deployment URL, or create a key in this deployment.',
    challenge: 'invalid_token',
  },
  revoked_key: {
    status: 401,
    type: 'authentication_error',
    title: 'The key was revoked',
    cause: 'Someone revoked the key. Revocation is permanent.',
    remedy: 'Create a new key and replace the revoked one with it.',
    challenge: 'invalid_token',
  },
  expired_key: {
    status: 401,
    type: 'authentication_error',
    title: 'The key has expired',
    cause: 'The expiration date of the key has passed.',
    remedy: 'Create a new key and replace the expired one with it.',
    challenge: 'invalid_token',
  },
  session_over: {
    status: 401,
    type: 'authentication_error',
    title: 'The dashboard session has ended',
    cause: 'The session cookie has expired, or the session was ended elsewhere.',
    remedy: 'Sign in again.',
    challenge: 'realm',
  },

  // 403: authenticated, but not allowed.
  insufficient_scope: {
    status: 403,
    type: 'permission_error',
    title: 'The key lacks a required scope',
    cause: 'The key is valid, but it does not have the scope that this call requires.',
    remedy: 'Use a key that has the scope named in the message. Scopes are set when a key is created.',
    challenge: 'insufficient_scope',
  },
  recent_login_required: {
    status: 403,
    type: 'permission_error',
    title: 'A recent sign-in is required',
    cause: 'Creating a key requires a sign-in within the last two hours.',
    remedy: 'Sign in again and repeat the call.',
  },
  session_required: {
    status: 403,
    type: 'permission_error',
    title: 'This action requires a signed-in user',
    cause: 'The call was made with an API key. No API key may make this change, whatever its scopes.',
    remedy: 'Sign in to the dashboard and make the change there.',
  },
  cross_origin: {
    status: 403,
    type: 'permission_error',
    title: 'The call came from another origin',
    cause: 'A page on another origin tried to make a change with a session of this dashboard.',
    remedy:
      'Call from the dashboard itself, or use an API key. If the URL of the dashboard differs from SOKU_PUBLIC_URL, correct that variable.',
  },

  // All other errors.
  invalid_request: {
    status: 400,
    type: 'invalid_request_error',
    title: 'Invalid request',
    cause: 'A field in the body, query, path or headers is invalid.',
    remedy: 'Read details: each entry has the path of a field and its problem.',
  },
  not_found: {
    status: 404,
    type: 'invalid_request_error',
    title: 'Not found',
    cause: 'The path or the ID does not exist, or it belongs to another workspace.',
    remedy: 'Check the path and the ID.',
  },
  idempotency_replayed: {
    status: 409,
    type: 'invalid_request_error',
    title: 'This Idempotency-Key was already used',
    cause:
      'An earlier call with the same Idempotency-Key created a key. Only that response contained the full key.',
    remedy:
      'If that response was lost, revoke the key named in details and create another one with a new Idempotency-Key.',
  },
  key_quota_reached: {
    status: 409,
    type: 'invalid_request_error',
    title: 'Active key limit reached',
    cause: 'The workspace has reached its maximum number of active keys (SOKU_MAX_ACTIVE_KEYS).',
    remedy: 'Revoke keys that are no longer used, or ask the operator to raise the limit.',
  },
  too_many_descendants: {
    status: 409,
    type: 'invalid_request_error',
    title: 'Too many keys to revoke at once',
    cause: 'The key has more than 10,000 descendants that are not revoked. No key was revoked.',
    remedy:
      'Revoke the key alone, which always works. Then revoke the keys that it created, each with its own descendants.',
  },
  method_not_allowed: {
    status: 405,
    type: 'invalid_request_error',
    title: 'The gateway does not forward this method',
    cause: 'The request to the gateway uses the method TRACE or CONNECT.',
    remedy: 'Use GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS, as supported by the API behind the gateway.',
  },
  payload_too_large: {
    status: 413,
    type: 'invalid_request_error',
    title: 'The request body is too large',
    cause: 'The maximum size of a request body is 64 kB.',
    remedy: 'Send a smaller body.',
  },
  unsupported_media_type: {
    status: 415,
    type: 'invalid_request_error',
    title: 'The request body is not JSON',
    cause: 'The Content-Type of the request is not application/json.',
    remedy: 'Send JSON with "Content-Type: application/json".',
  },
  rate_limited: {
    status: 429,
    type: 'rate_limit_error',
    title: 'Too many requests',
    cause:
      'The key reached its limit of requests per minute, this IP address sent too many invalid keys or operator tokens, or there were too many password attempts from this address or for this account.',
    remedy:
      'Wait for the number of seconds in Retry-After, then spread out your requests. RateLimit-Policy names the limit that was reached, "key" or "address". The account holder can raise the limit of a key.',
  },
  internal_error: {
    status: 500,
    type: 'api_error',
    title: 'Internal server error',
    cause: 'An unexpected error occurred on the server. Your request is not the cause.',
    remedy: 'Try again. If the error persists, send the request ID to the operator of this deployment.',
  },
  bad_gateway: {
    status: 502,
    type: 'api_error',
    title: 'The API behind the gateway did not respond',
    cause:
      'The key is valid, but the API behind the gateway could not be reached, timed out, or sent an invalid response.',
    remedy:
      'Try again later. If the request changes data, check first whether it was carried out. The operator can use the request ID to find the cause in the log.',
  },
  server_busy: {
    status: 503,
    type: 'api_error',
    title: 'Too many sign-ins at once',
    cause:
      'Password hashing is slow by design, so the server hashes only a few at a time and queues one request per address. API keys are not affected.',
    remedy: 'Try again after the number of seconds in Retry-After.',
  },
  verification_unavailable: {
    status: 503,
    type: 'api_error',
    title: 'The database is temporarily unavailable',
    cause: 'The database did not respond, or another program has locked it.',
    remedy:
      'Try again after the number of seconds in Retry-After. If the message says that a change may have been made, check first.',
  },
  storage_unavailable: {
    status: 503,
    type: 'api_error',
    title: 'Storage is unavailable',
    cause:
      'The server cannot write to its storage: the disk is full, read-only or failing, or the data directory was removed or is in use by another process.',
    remedy:
      'The operator must fix the cause, which the log and GET /readyz report. Then try again. The message says whether the change was made.',
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorCodes;

/** The section of the troubleshooting page that explains a code, relative to the public URL. */
export function helpPath(code: ErrorCode): string {
  return `/help/api-troubleshooting#${code}`;
}

export const errorCodeNames: ErrorCode[] = Object.keys(errorCodes).filter(isErrorCode);

/** Whether a string, such as the anchor of a link, is one of the codes. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCodes, text);
}
