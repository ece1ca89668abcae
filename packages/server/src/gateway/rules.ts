import type { IncomingMessage } from 'node:http';
import type { Refusal } from '../http/errors.ts';
import { canonicalName } from '../http/proxy-fields.ts';
import { plainSegments } from './plain-path.ts';

/** What a key must have for some requests. The first rule that a request matches decides. */
export interface Rule {
  /** Absent: all. GET includes HEAD. */
  methods?: readonly string[] | undefined;
  /** Of the path, as `plainSegments` writes them. `*` is any segment; at the end, also none or several. */
  segments: readonly string[];
  /** All of them must be among the key's. Absent: any good key will do. */
  scopes?: readonly string[] | undefined;
  /** No key will do. */
  deny?: boolean | undefined;
}

/** What the rules ask of the key of a request. */
export interface Demand {
  needs?: readonly string[] | undefined;
  /** Why no key will do. */
  denied?: Refusal | undefined;
}

/** Header fields by which some frameworks take a request for one of another method. */
const overrides = new Set(['x-http-method-override', 'x-http-method', 'x-method-override']);

const nothing: Demand = {};

/**
 * Finds what the rules ask of a request. A request that the API could take for another one than the rules saw is
 * refused, whatever its key.
 */
export function demandOf(rules: readonly Rule[], request: IncomingMessage): Demand | Refusal {
  if (rules.length === 0) return nothing;
  const { method = '', url = '' } = request;
  const segments = plainSegments(url);
  if (segments === undefined) {
    return invalid(
      'The URL path is ambiguous. Remove empty and dot segments, semicolons, backslashes, and percent-encoded special characters.',
    );
  }
  if (overridesMethod(request)) {
    return invalid('The method cannot be overridden by a header or the query. Send the request with the intended method.');
  }
  const rule = rules.find((one) => matches(one, method, segments));
  if (rule?.deny === true) return { denied };
  return rule === undefined ? nothing : { needs: rule.scopes };
}

/** Also for a HEAD: what it may say of a resource, a GET may. */
export function matches({ methods, segments }: Rule, method: string, path: readonly string[]): boolean {
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

const denied: Refusal = {
  code: 'not_found',
  message: 'Not found: the gateway rules do not allow this method and path.',
};

function invalid(message: string): Refusal {
  return { code: 'invalid_request', message };
}
