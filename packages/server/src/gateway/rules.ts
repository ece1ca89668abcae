import type { IncomingMessage } from 'node:http';
import type { ApiProblem } from '../http/errors.ts';
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
export interface Requirements {
  needs?: readonly string[] | undefined;
  /** Why no key will do. */
  denied?: ApiProblem | undefined;
}

/** Header fields by which some frameworks take a request for one of another method. */
const overrides = new Set(['x-http-method-override', 'x-http-method', 'x-method-override']);

const nothing: Requirements = {};

/**
 * Finds what the rules ask of a request. A request that the API could take for another one than the rules saw is
 * refused, whatever its key.
 */
export function requirementsFor(rules: readonly Rule[], request: IncomingMessage): Requirements | ApiProblem {
  if (rules.length === 0) return nothing;
  const { method = '', url = '' } = request;
  const segments = plainSegments(url);
  if (segments === undefined) {
    return invalid(
      'The path of the URL could be read in two ways. Leave out empty and dot segments, semicolons, backslashes, and percent-encoded characters with a meaning in paths.',
    );
  }
  if (overridesMethod(request)) {
    return invalid('The method cannot be overridden by a header or the query. Send the method itself.');
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

const denied: ApiProblem = {
  code: 'not_found',
  message: 'Not found: the rules of this gateway pass no request on to this path with this method.',
};

function invalid(message: string): ApiProblem {
  return { code: 'invalid_request', message };
}
