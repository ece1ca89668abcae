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

export interface ErrorDefinition {
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
