import type { IncomingMessage } from 'node:http';
import type { ApiProblem } from '../http/errors.ts';
import { canonicalName } from '../http/proxy-fields.ts';
import { parseUnambiguousPath } from './unambiguous-path.ts';

/** What a key must have for certain requests. The first matching rule decides. */
export interface Rule {
  /** Absent: all methods. GET includes HEAD. */
  methods?: readonly string[] | undefined;
  /** Normalized path segments. `*` matches any segment; at the end, it matches zero or more segments. */
  segments: readonly string[];
  /** The key must have all of them. Absent: any valid key is accepted. */
  scopes?: readonly string[] | undefined;
  /** No key is accepted. */
  deny?: boolean | undefined;
}

/** What the rules require of the key of a request. */
export interface Requirements {
  needs?: readonly string[] | undefined;
  /** The rejection if no key is accepted. */
  denied?: ApiProblem | undefined;
}

/** Header fields by which some frameworks override the method of a request. */
const overrides = new Set(['x-http-method-override', 'x-http-method', 'x-method-override']);

const nothing: Requirements = {};

/**
 * Returns what the rules require of a request. A request that the API could interpret differently from the rules is
 * rejected, whatever its key.
 */
export function requirementsFor(rules: readonly Rule[], request: IncomingMessage): Requirements | ApiProblem {
  if (rules.length === 0) return nothing;
  const { method = '', url = '' } = request;
  const segments = parseUnambiguousPath(url);
  if (segments === undefined) {
    return invalid(
      'The URL path is ambiguous. Remove empty and dot segments, semicolons, backslashes, and percent-encoded special characters.',
    );
  }
  if (overridesMethod(request)) {
    return invalid(
      'The method cannot be overridden by a header or the query. Send the request with the intended method.',
    );
  }
  const rule = rules.find((one) => matchesRule(one, method, segments));
  if (rule?.deny === true) return { denied };
  return rule === undefined ? nothing : { needs: rule.scopes };
}

/** Whether a rule matches. HEAD is treated as GET, because it reveals no more than GET. */
export function matchesRule({ methods, segments }: Rule, method: string, path: readonly string[]): boolean {
  const own = method === 'HEAD' && !methods?.includes(method) ? 'GET' : method;
  if (methods !== undefined && !methods.includes(own)) return false;
  const isOpen = segments.at(-1) === '*';
  const fixed = isOpen ? segments.slice(0, -1) : segments;
  if (isOpen ? path.length < fixed.length : path.length !== fixed.length) return false;
  return fixed.every((segment, i) => segment === '*' || segment === path[i]);
}

function overridesMethod({ rawHeaders, url = '' }: IncomingMessage): boolean {
  if (rawHeaders.some((name, i) => i % 2 === 0 && overrides.has(canonicalName(name)))) return true;
  const start = url.indexOf('?');
  if (start === -1) return false;
  const query = url
    .slice(start + 1)
    .replace(/%([\da-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return /(?:^|[&;?])_method(?:[=&;]|$)/i.test(query);
}

const denied: ApiProblem = {
  code: 'not_found',
  message: 'Not found: the gateway rules do not allow this method and path.',
};

function invalid(message: string): ApiProblem {
  return { code: 'invalid_request', message };
}
