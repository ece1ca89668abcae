import type { IncomingMessage } from 'node:http';
import { containsKey } from '@soku/key';
import type { ApiProblem } from '../http/errors.ts';
import { isOriginalPreflight } from './original-request.ts';
import type { RequestFields } from './request-fields.ts';

/** Headers that other services use for keys. None of them is read as a credential. */
const wrongHeaders = [
  'x-api-key',
  'api-key',
  'apikey',
  'x-apikey',
  'x-api-token',
  'api-token',
  'x-auth-token',
  'x-access-token',
  'x-soku-key',
];

/** Query parameters that may contain keys (RFC 6750 section 2.3 allows it; ASVS 5.0 14.2.1 forbids it). */
const queryNames = new Set(['api_key', 'apikey', 'key', 'token', 'access_token']);

/** The only schemes that messages name: an unknown scheme may be part of a key. */
const knownSchemes = new Set([
  'basic',
  'digest',
  'token',
  'apikey',
  'negotiate',
  'ntlm',
  'hmac',
  'jwt',
  'aws4-hmac-sha256',
]);

const scheme = 'Bearer ';

/** In characters: at most 20 for the prefix, and 32 for the rest. Longer text is not a key of Soku and is not hashed. */
export const maxKeyLength = 52;

/** The unchecked text after `Bearer `, or the reason why there is none. */
export type Credentials = { token: string } | ApiProblem;

/**
 * Reads the credentials of a request by the rules of the Public API: exactly one Authorization header, the scheme
 * Bearer in any case, exactly one space, then the bare key.
 *
 * @param fields the received Authorization fields; duplicates count
 * @param request used to explain a missing Authorization header by the other headers
 * @param targets returns every known path and query of the original request
 * @param prefixes accepted key prefixes, that of new keys first
 */
export function readCredentials(
  fields: RequestFields,
  request: IncomingMessage,
  targets: (request: IncomingMessage) => readonly string[],
  prefixes: readonly string[],
): Credentials {
  const { authorization: value } = fields;
  if (fields.authorizations > 1)
    return malformed('The request has more than one Authorization header. Send it once.');
  if (value === '') return explainAbsent(request, targets, prefixes);
  if (/^bearer [^\s"'<>]+$/i.test(value)) return { token: value.slice(7) };
  return explainValue(value, prefixes);
}

/** The path and query of a request that is not made on behalf of another one. */
export function requestTarget(request: IncomingMessage): readonly string[] {
  return [request.url ?? '/'];
}

function explainAbsent(
  request: IncomingMessage,
  targets: (request: IncomingMessage) => readonly string[],
  prefixes: readonly string[],
): ApiProblem {
  const [prefix = ''] = prefixes;
  if (targets(request).some((target) => hasKeyInQuery(target, prefixes))) {
    return {
      code: 'key_in_query',
      message: `The API key was sent in the URL, where logs and browser histories record it. Revoke that key, create a new one, and send it in the header Authorization: Bearer ${prefix}...`,
    };
  }
  const header = wrongHeaders.find((name) => request.headers[name] !== undefined);
  if (header !== undefined) {
    return {
      code: 'wrong_header',
      message: `The header ${header} is not supported. Send the key as Authorization: Bearer ${prefix}...`,
    };
  }
  if (isOriginalPreflight(request)) {
    return {
      code: 'missing_authorization',
      message:
        'This is a CORS preflight request, which browsers send without a key. Never use a secret key in a browser. Call this API from your server.',
    };
  }
  return {
    code: 'missing_authorization',
    message: `No API key was sent. Send it in the header Authorization: Bearer ${prefix}...`,
  };
}

/** Whether a query parameter that other services use for keys contains something like a key. */
export function hasKeyInQuery(target: string, prefixes: readonly string[]): boolean {
  const start = target.indexOf('?');
  if (start === -1) return false;
  for (const [name, value] of new URLSearchParams(target.slice(start + 1))) {
    if (!queryNames.has(name.toLowerCase())) continue;
    if (containsKey(value, prefixes) || prefixes.some((prefix) => value.startsWith(prefix))) return true;
  }
  return false;
}

/** Explains a single non-empty header that is not `Bearer` and one word. */
function explainValue(value: string, prefixes: readonly string[]): ApiProblem {
  const [scheme = ''] = value.split(/\s/, 1);
  if (scheme.toLowerCase() === 'bearer') return explainBearer(value.slice(scheme.length));
  if (/^["'<]?bearer/i.test(value)) return explainAlmostBearer(value);
  if (scheme.length === value.length && !knownSchemes.has(scheme.toLowerCase())) {
    return {
      code: 'missing_bearer',
      message: `The word Bearer is missing. Send Authorization: Bearer ${prefixes[0] ?? ''}...`,
    };
  }
  const name = knownSchemes.has(scheme.toLowerCase()) ? `The scheme ${scheme}` : 'This scheme';
  return {
    code: 'unsupported_scheme',
    message: `${name} is not supported. Send Authorization: Bearer ${prefixes[0] ?? ''}...${scheme.toLowerCase() === 'basic' ? netrcHint : ''}`,
  };
}

/** Programs such as curl and Python's requests send Basic on their own if .netrc names the host. */
const netrcHint =
  ' If you did not choose Basic, check your .netrc file for this host: curl -n and Python requests read it.';

/** @param rest the text after the word Bearer: empty, or starting with whitespace */
function explainBearer(rest: string): ApiProblem {
  const gap = /^\s*/.exec(rest)?.[0] ?? '';
  const token = rest.slice(gap.length);
  if (token === '') {
    return malformed('No key follows the word Bearer. Check that the variable for the key is not empty.');
  }
  if (gap.includes('\t')) return malformed('A tab follows the word Bearer. Use exactly one space.');
  if (/[^ ]/.test(gap)) {
    return malformed('A special space character follows the word Bearer. Use exactly one plain space.');
  }
  if (gap.length > 1) {
    return malformed(`${gap.length} spaces follow the word Bearer. Use exactly one.`);
  }
  if (/^bearer\b/i.test(token)) return malformed('The word Bearer appears twice. Send it once.');
  if (/^["']|["']$/.test(token)) return malformed('There are quotes around the key. Remove them.');
  if (/^<|>$/.test(token)) return malformed('There are angle brackets around the key. Remove them.');
  const at = token.search(/[\s"'<>]/) + 1;
  return malformed(
    `Character ${at} after the word Bearer is a space, tab, quote or bracket. Keys do not contain these.`,
  );
}

function explainAlmostBearer(value: string): ApiProblem {
  if (/^["'<]/.test(value))
    return malformed('There are quotes or brackets around the whole header value. Remove them.');
  if (/^bearer[:=]/i.test(value)) {
    return malformed('A colon or an equals sign follows the word Bearer. Use exactly one space.');
  }
  return malformed('The space between the word Bearer and the key is missing.');
}

function malformed(message: string): ApiProblem {
  return { code: 'malformed_authorization', message };
}

/**
 * The token of a single header in the form `Bearer <token>`, unless it is too long for a key.
 *
 * @param maxLength in characters
 */
export function plainBearerToken(
  { authorization, authorizations }: RequestFields,
  maxLength: number = maxKeyLength,
): string | undefined {
  const usual =
    authorizations === 1 &&
    authorization.length <= scheme.length + maxLength &&
    authorization.startsWith(scheme);
  return usual ? authorization.slice(scheme.length) : undefined;
}
