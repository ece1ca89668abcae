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
 * credentials, else the RFC's own error name.
 */
type Challenge = 'realm' | 'invalid_request' | 'invalid_token' | 'insufficient_scope';

export interface ErrorRow {
  status: number;
  type: ErrorType;
  /** The headline on the troubleshooting page. */
  title: string;
  /** When it happens, for the troubleshooting page. */
  cause: string;
  /** What to do about it, for the troubleshooting page. */
  remedy: string;
  challenge?: Challenge;
}

export const errorCodes = {
  // --- 401: the credentials.
  missing_authorization: {
    status: 401,
    type: 'authentication_error',
    title: 'No key was sent',
    cause: 'The request has no Authorization header.',
    remedy: 'Send the header "Authorization: Bearer " followed by your API key with every request.',
    challenge: 'realm',
  },
  key_in_query: {
    status: 401,
    type: 'authentication_error',
    title: 'The key is in the URL',
    cause:
      'A query parameter (api_key, apikey, key, token or access_token) holds something like a key. URLs are written to logs, histories and analytics by every program on the way.',
    remedy: 'Treat that key as leaked: revoke it, make a new one, and send it in the Authorization header.',
    challenge: 'invalid_request',
  },
  wrong_header: {
    status: 401,
    type: 'authentication_error',
    title: 'The key is in another header',
    cause: 'The key came in a header such as X-API-Key or Api-Key, which is not read.',
    remedy: 'Move it into the header "Authorization: Bearer " followed by the key.',
    challenge: 'realm',
  },
  missing_bearer: {
    status: 401,
    type: 'authentication_error',
    title: 'The word Bearer is missing',
    cause: 'The Authorization header holds the key alone.',
    remedy: 'Write "Bearer " (with one space) before the key.',
    challenge: 'realm',
  },
  unsupported_scheme: {
    status: 401,
    type: 'authentication_error',
    title: 'Another scheme than Bearer',
    cause: 'The Authorization header starts with a scheme such as Basic, Digest or Token.',
    remedy: 'Use the scheme Bearer: "Authorization: Bearer " followed by the key.',
    challenge: 'realm',
  },
  malformed_authorization: {
    status: 401,
    type: 'authentication_error',
    title: 'The Authorization header is not well formed',
    cause:
      'There is more than one space, a tab, quotes or angle brackets around the key, "Bearer" twice, nothing after it, or the header came twice.',
    remedy: 'Send exactly one header, with exactly one space: "Authorization: Bearer " and the bare key.',
    challenge: 'invalid_request',
  },
  missing_prefix: {
    status: 401,
    type: 'authentication_error',
    title: 'The prefix is missing',
    cause: 'The 32 characters of a key came without the prefix before them.',
    remedy: 'Copy the whole key, with its prefix.',
    challenge: 'invalid_token',
  },
  key_preview: {
    status: 401,
    type: 'authentication_error',
    title: 'The preview was sent in place of the key',
    cause: 'The shortened form from the list of keys (with dots in the middle) was sent. It is not the key.',
    remedy: 'Send the full key. It is shown only once, when it is made: if it is lost, make a new one.',
    challenge: 'invalid_token',
  },
  malformed_key: {
    status: 401,
    type: 'authentication_error',
    title: 'The key has the wrong length or a wrong character',
    cause: 'A part was cut off or added, or the text is not a key at all (such as the name of a variable).',
    remedy: 'Copy the key again, whole, without quotes or line breaks. The message tells the lengths.',
    challenge: 'invalid_token',
  },
  mistyped_key: {
    status: 401,
    type: 'authentication_error',
    title: 'A character of the key is wrong',
    cause: 'The checksum at the end of the key does not fit the rest. No database was asked.',
    remedy: 'Copy the key again; do not type it.',
    challenge: 'invalid_token',
  },
  unknown_key: {
    status: 401,
    type: 'authentication_error',
    title: 'The key is not known here',
    cause: 'The key is well formed, but this deployment never made it, or it went with its account.',
    remedy: 'Check that you call the right deployment (its URL), or make a key in it.',
    challenge: 'invalid_token',
  },
  revoked_key: {
    status: 401,
    type: 'authentication_error',
    title: 'The key was revoked',
    cause: 'Somebody revoked the key. That is permanent.',
    remedy: 'Make a new key and put it in the place of the old one.',
    challenge: 'invalid_token',
  },
  expired_key: {
    status: 401,
    type: 'authentication_error',
    title: 'The key has expired',
    cause: 'The key was made with an expiry date, and that date has passed.',
    remedy: 'Make a new key.',
    challenge: 'invalid_token',
  },
  session_over: {
    status: 401,
    type: 'authentication_error',
    title: 'The dashboard session is over',
    cause: 'The session cookie has expired, or the session was ended from elsewhere.',
    remedy: 'Sign in again.',
    challenge: 'realm',
  },

  // --- 403: authenticated, but not allowed.
  insufficient_scope: {
    status: 403,
    type: 'permission_error',
    title: 'The key lacks a scope',
    cause: 'The key is good, but was made without the scope that this call needs.',
    remedy: 'Use a key that has the scope named in the message. Scopes are chosen when a key is made.',
    challenge: 'insufficient_scope',
  },
  recent_login_required: {
    status: 403,
    type: 'permission_error',
    title: 'A recent sign-in is needed',
    cause: 'Making a key needs a sign-in of the last two hours, so that a forgotten open browser makes none.',
    remedy: 'Sign in again and repeat the call.',
  },
  session_required: {
    status: 403,
    type: 'permission_error',
    title: 'Only a person may do this',
    cause: 'The call was made with a key, and changes what no key may change, whatever its scopes.',
    remedy: 'Sign in to the dashboard and change it there.',
  },
  cross_origin: {
    status: 403,
    type: 'permission_error',
    title: 'The call came from another site',
    cause: 'A page of another origin tried to change something with the session of this one.',
    remedy:
      'Call from the dashboard itself, or use an API key from a program. If the dashboard is reached under another address than SOKU_PUBLIC_URL says, set that variable.',
  },

  // --- All other errors.
  invalid_request: {
    status: 400,
    type: 'invalid_request_error',
    title: 'The request is not valid',
    cause: 'A field of the body, the query, the path or a header breaks its rule.',
    remedy: 'Read details: each entry has the path of the field and its problem.',
  },
  not_found: {
    status: 404,
    type: 'invalid_request_error',
    title: 'There is no such thing',
    cause: 'The path or the id does not exist, or belongs to another workspace.',
    remedy: 'Check the path and the id.',
  },
  idempotency_replayed: {
    status: 409,
    type: 'invalid_request_error',
    title: 'This call was made before',
    cause:
      'A call with the same Idempotency-Key already made a key. The full key was in that first answer only.',
    remedy:
      'If that answer was lost, revoke the key named in details and make another with a new Idempotency-Key.',
  },
  key_quota_reached: {
    status: 409,
    type: 'invalid_request_error',
    title: 'The workspace has its most active keys',
    cause: 'A workspace may hold a limited number of active keys (SOKU_MAX_ACTIVE_KEYS).',
    remedy: 'Revoke keys that are not used any more, or have the operator raise the limit.',
  },
  too_many_descendants: {
    status: 409,
    type: 'invalid_request_error',
    title: 'Too many keys to revoke at once',
    cause:
      'The call was to revoke a key with all keys that descend from it, and more than 10,000 of those are not revoked. None was revoked.',
    remedy:
      'Revoke the key alone, which always works. Then revoke keys that it created, each with its own descendants.',
  },
  method_not_allowed: {
    status: 405,
    type: 'invalid_request_error',
    title: 'The gateway does not pass this method on',
    cause: 'The request to the gateway has the method TRACE or CONNECT.',
    remedy: 'Use GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS, as the API behind the gateway defines.',
  },
  payload_too_large: {
    status: 413,
    type: 'invalid_request_error',
    title: 'The body is too large',
    cause: 'A request body may have 64 kB.',
    remedy: 'Send less.',
  },
  unsupported_media_type: {
    status: 415,
    type: 'invalid_request_error',
    title: 'The body is not JSON',
    cause: 'The Content-Type of the body is not application/json.',
    remedy: 'Send JSON with "Content-Type: application/json".',
  },
  rate_limited: {
    status: 429,
    type: 'rate_limit_error',
    title: 'Too many requests',
    cause:
      'The key has had as many requests in the last minute as its limit allows; or so many requests with malformed or unknown keys, or with wrong operator tokens, came from this address that no more of them are looked at; or too many attempts with a password came from this address or for this account.',
    remedy:
      'Wait for the number of seconds in Retry-After, and spread the requests. RateLimit-Policy names the limit that was reached, "key" or "address". A limit that is too low for an integration can be raised by the account holder.',
  },
  internal_error: {
    status: 500,
    type: 'api_error',
    title: 'Something failed inside',
    cause: 'This is a fault of the server, not of the request.',
    remedy: 'Try again; if it stays, give the request id to whoever runs this deployment.',
  },
  bad_gateway: {
    status: 502,
    type: 'api_error',
    title: 'The API behind the gateway does not answer',
    cause:
      'The key is good, but the API that the gateway passes requests on to could not be reached, did not answer in time, or its answer was broken.',
    remedy:
      'Try again later, with care where the request changes something: it may have been carried out. Whoever runs this deployment finds the reason in the log by the request id.',
  },
  server_busy: {
    status: 503,
    type: 'api_error',
    title: 'Too many sign-ins at once',
    cause:
      'Hashing a password is slow on purpose, so only a few are hashed at a time, and one request per address waits. API keys are not concerned.',
    remedy: 'Try again after the number of seconds in Retry-After.',
  },
  verification_unavailable: {
    status: 503,
    type: 'api_error',
    title: 'The database does not answer at the moment',
    cause:
      'The database did not answer, or another program has locked it. Soku refuses rather than accept a key that it cannot check.',
    remedy:
      'Try again after the number of seconds in Retry-After. The message says so when a change may have been carried out: then look first.',
  },
  storage_unavailable: {
    status: 503,
    type: 'api_error',
    title: 'The storage is unavailable',
    cause:
      'The server cannot write to its storage: the disk is full, read-only or failing, or the data directory was removed or is used by another process.',
    remedy:
      'The operator has to repair it: the log and GET /readyz name the cause. Then try again. The message says whether the change was made.',
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorCodes;

/** The part of the troubleshooting page that explains a code; relative to the public URL. */
export function helpPath(code: ErrorCode): string {
  return `/help/api-troubleshooting#${code}`;
}

export const errorCodeNames: ErrorCode[] = Object.keys(errorCodes).filter(isErrorCode);

/** Whether a text, such as the anchor of a link, is one of the codes. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCodes, text);
}
