import { authenticationErrors } from './authentication-errors.ts';
import type { ErrorDefinition } from './error-definition.ts';
import { requestErrors } from './request-errors.ts';

/**
 * Every error that Soku returns, one row per code. The Public API, the OpenAPI document and the troubleshooting page
 * are generated from this table, so a code cannot exist in one and be missing in another.
 */
export const errorCodes = { ...authenticationErrors, ...requestErrors } as const satisfies Record<
  string,
  ErrorDefinition
>;

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
