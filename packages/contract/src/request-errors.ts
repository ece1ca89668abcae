import type { ErrorDefinition } from './error-definition.ts';

/** Errors of requests that are authenticated and allowed, or that need neither. */
export const requestErrors = {
  invalid_request: {
    status: 400,
    type: 'invalid_request_error',
    title: 'Invalid request',
    cause: 'A field in the body, query, path or headers is invalid.',
    remedy:
      'Read the message and, if there are any, the details: each entry has the path of a field and its problem.',
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
      'An earlier call with the same Idempotency-Key has already created, rotated or imported keys. If it created or rotated a key, only its response contained the full key.',
    remedy:
      'If that response was lost, revoke the created key and create another one, or rotate the rotated key again, with a new Idempotency-Key. The details name the key. A repeated import needs nothing more. Any other call needs a new Idempotency-Key.',
  },
  key_quota_reached: {
    status: 409,
    type: 'invalid_request_error',
    title: 'Active key limit reached',
    cause: 'The workspace has reached its maximum number of active keys (SOKU_MAX_ACTIVE_KEYS).',
    remedy: 'Revoke keys that are no longer used, or ask the operator to raise the limit.',
  },
  key_revoked: {
    status: 409,
    type: 'invalid_request_error',
    title: 'The key is revoked and cannot be changed',
    cause: 'Revocation is permanent. Only the name and the metadata of a revoked key can be changed.',
    remedy: 'Create a new key.',
  },
  scope_in_use: {
    status: 409,
    type: 'invalid_request_error',
    title: 'The scope is in use',
    cause: 'Keys that are not revoked hold a scope that the call would remove from the catalog.',
    remedy: 'Change or revoke these keys first. The message says how many there are.',
  },
  key_expired: {
    status: 409,
    type: 'invalid_request_error',
    title: 'The key has expired',
    cause: 'An expired key cannot be rotated.',
    remedy: 'Give the key a later expiration date first, or create a new key.',
  },
  too_many_secrets: {
    status: 409,
    type: 'invalid_request_error',
    title: 'Too many secrets',
    cause: 'A key or a webhook can have at most 5 secrets that are not retired. Each rotation adds one.',
    remedy:
      'Retire an older secret of the key, then rotate it again; or rotate the key, or the secret of the webhook, without a grace period.',
  },
  newest_secret: {
    status: 409,
    type: 'invalid_request_error',
    title: 'The newest secret cannot be retired',
    cause: 'The call would leave the key without a secret.',
    remedy: 'Rotate the key, or revoke it.',
  },
  too_many_webhooks: {
    status: 409,
    type: 'invalid_request_error',
    title: 'The workspace has too many webhooks',
    cause: 'A workspace can have at most 20 webhooks, including disabled ones.',
    remedy: 'Delete a webhook that is no longer used.',
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
    cause: 'The request body is larger than the maximum size that the message names: 64 kB for most calls.',
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
      'The key reached its limit of requests per minute, this IP address sent too many invalid keys, operator tokens or leak reports, there were too many password attempts from this address or for this account, or another import into the workspace is running.',
    remedy:
      'Wait for the number of seconds in Retry-After, then spread out your requests. RateLimit-Policy, if present, names the limit that was reached, "key" or "address". The account holder can raise the limit of a key.',
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
  signing_keys_unavailable: {
    status: 503,
    type: 'api_error',
    title: 'The public keys of GitHub are unavailable',
    cause:
      'The server does not know the public key of a report. It could not fetch the keys of SOKU_GITHUB_KEYS_URL, or fetched them too recently.',
    remedy:
      'Send the report again after the number of seconds in Retry-After. The server log has the cause of a failed fetch.',
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
} as const satisfies Record<string, ErrorDefinition>;
