import type { ErrorDefinition } from './error-definition.ts';

/** Errors of requests that are not authenticated, or not allowed. */
export const authenticationErrors = {
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
    remedy: 'Send the full key. It is shown only once, when it is created. If it is lost, rotate the key.',
    challenge: 'invalid_token',
  },
  malformed_key: {
    status: 401,
    type: 'authentication_error',
    title: 'The key has the wrong length or an invalid character',
    cause:
      'Part of the key is missing, something was added, or the text is not a key at all (such as the name of a variable). Or the key was imported, but its prefix is not in SOKU_IMPORTED_KEY_PREFIXES.',
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
      'The key is well formed, but it was not created in this deployment, or it belongs to a workspace that this request does not accept.',
    remedy: 'Check that you are calling the right deployment URL, or create a key in this deployment.',
    challenge: 'invalid_token',
  },
  revoked_key: {
    status: 401,
    type: 'authentication_error',
    title: 'The key was revoked',
    cause: 'The key was revoked, or it was rotated and this secret was retired. Both are permanent.',
    remedy: 'If the key was rotated, use its newest secret. Otherwise, create a new key.',
    challenge: 'invalid_token',
  },
  expired_key: {
    status: 401,
    type: 'authentication_error',
    title: 'The key has expired',
    cause: 'The expiration date of the key has passed.',
    remedy: 'Ask the account holder for a later expiration date, or create a new key.',
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
    cause: 'The key is valid, but it does not have a scope that is required for this request.',
    remedy:
      'Use a key that has the scope named in the message. The account holder can change the scopes of a key.',
    challenge: 'insufficient_scope',
  },
  ip_not_allowed: {
    status: 403,
    type: 'permission_error',
    title: 'The key may not be used from this IP address',
    cause:
      'The key is restricted to certain IP addresses. The message names the address that the server saw, or says why it saw none.',
    remedy:
      'Call from an allowed address, or have the address added to the key. Behind a proxy, the operator must list the proxy in TRUST_PROXY, so that the server sees the address of the client.',
  },
  disabled_key: {
    status: 403,
    type: 'permission_error',
    title: 'The key is disabled',
    cause: 'A person, a program or the policy for idle keys has disabled the key. It can be enabled again.',
    remedy: 'Ask the account holder to enable the key in Settings > API.',
  },
  wrong_environment: {
    status: 403,
    type: 'permission_error',
    title: 'The key belongs to another environment',
    cause: 'A test key was sent where live keys are required, or a live key where test keys are required.',
    remedy: 'Use a key of the environment that the message names.',
  },
  recent_login_required: {
    status: 403,
    type: 'permission_error',
    title: 'A recent sign-in is required',
    cause:
      'Creating, rotating or importing keys, and changing webhooks, requires a sign-in within the last two hours.',
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
    cause:
      'A page on another origin tried to make a change with a session of this dashboard, or to call the API from a browser (a CORS preflight).',
    remedy:
      'Call from the dashboard itself, or from your server with an API key. If the URL of the dashboard differs from SOKU_PUBLIC_URL, correct that variable.',
  },
} as const satisfies Record<string, ErrorDefinition>;
