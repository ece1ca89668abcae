import type { ErrorCode } from '@soku/contract/error-codes';
import { generateKey } from '@soku/key';
import { type Fields, toLatin1 } from '../support/http.ts';

/** A request with wrong credentials. */
export interface Mistake {
  /** Ends the test title "rejected with <code>: ...". */
  what: string;
  /** The request's header fields. */
  fields: Fields;
  /** Appended to the path. */
  query?: string;
  /** What the message must match. */
  pattern: RegExp;
}

const authorization = (value: string): Fields => [['Authorization', value]];
const mention = /Authorization: Bearer sk_live_\.\.\./;

function inQuery(key: string): Mistake[] {
  const pattern = /URL.*Revoke that key.*Authorization: Bearer/;
  return [
    ...['api_key', 'apikey', 'key', 'token', 'access_token', 'API_KEY', 'Access_Token'].map((name) => ({
      what: `in the query as ${name}`,
      fields: [],
      query: `?${name}=${key}`,
      pattern,
    })),
    { what: 'in the query after other parameters', fields: [], query: `?page=2&token=${key}&x=1`, pattern },
    { what: 'in the query, percent-encoded', fields: [], query: `?key=sk%5Flive%5F${key.slice(8)}`, pattern },
    { what: 'in the query with Bearer', fields: [], query: `?token=Bearer+${key}`, pattern },
    { what: 'in the query, cut off', fields: [], query: `?api_key=${key.slice(0, 30)}`, pattern },
    {
      what: 'in the query with an empty Authorization header',
      fields: authorization(''),
      query: `?key=${key}`,
      pattern,
    },
    {
      what: 'in the query and in another header',
      fields: [['X-API-Key', key]],
      query: `?key=${key}`,
      pattern,
    },
  ];
}

function otherHeaders(key: string): Mistake[] {
  const names = ['X-API-Key', 'Api-Key', 'ApiKey', 'X-ApiKey', 'X-Api-Token', 'Api-Token', 'X-Auth-Token'];
  return [...names, 'X-Access-Token', 'x-api-key'].map((name) => ({
    what: `in the header ${name}`,
    fields: [[name, key]],
    pattern: new RegExp(`${name.toLowerCase()} is not supported.*${mention.source}`),
  }));
}

function schemes(key: string): Mistake[] {
  const named = ['Basic', 'Digest', 'Token', 'ApiKey', 'Negotiate', 'token', 'BASIC'].map((scheme) => ({
    what: `with the scheme ${scheme}`,
    fields: authorization(`${scheme} ${key}`),
    pattern: new RegExp(`The scheme ${scheme} is not supported.*${mention.source}`),
  }));
  const anonymous = [`Hello ${key}`, `${key} ${key}`, `sk_live_ ${key.slice(8)}`, `BearerX ${key}`];
  return [
    ...named,
    {
      what: 'with the word Basic alone',
      fields: authorization('Basic'),
      pattern: /The scheme Basic.*\.netrc/,
    },
    ...anonymous.slice(0, 3).map((value, at) => ({
      what: `with an unknown scheme (${at + 1})`,
      fields: authorization(value),
      pattern: /^This scheme is not supported/,
    })),
  ];
}

function malformed(key: string): Mistake[] {
  const mistake = (what: string, value: string, pattern: RegExp): Mistake => ({
    what,
    fields: authorization(value),
    pattern,
  });
  return [
    mistake('with two spaces', `Bearer  ${key}`, /^2 spaces follow the word Bearer\. Use exactly one/),
    mistake('with five spaces', `Bearer     ${key}`, /^5 spaces/),
    mistake('with a no-break space', `Bearer\u00a0${key}`, /^A special space character/),
    mistake('with a tab', `Bearer\t${key}`, /^A tab follows/),
    mistake('with a space and a tab', `Bearer \t${key}`, /^A tab follows/),
    mistake('in double quotes', `Bearer "${key}"`, /quotes around the key/),
    mistake('in single quotes', `Bearer '${key}'`, /quotes around the key/),
    mistake('with a quote at the end', `Bearer ${key}"`, /quotes around the key/),
    mistake('with quotes around all', `"Bearer ${key}"`, /quotes or brackets around the whole header value/),
    mistake('in angle brackets', `Bearer <${key}>`, /angle brackets around the key/),
    mistake('with Bearer twice', `Bearer Bearer ${key}`, /^The word Bearer appears twice/),
    mistake('with bearer twice in another case', `bearer BEARER ${key}`, /^The word Bearer appears twice/),
    mistake('with Bearer and nothing', 'Bearer', /^No key follows the word Bearer/),
    mistake('with Bearer and a space', 'Bearer ', /^No key follows the word Bearer/),
    mistake('with a colon', `Bearer: ${key}`, /^A colon or an equals sign follows the word Bearer/),
    mistake(
      'with a colon and no space',
      `Bearer:${key}`,
      /^A colon or an equals sign follows the word Bearer/,
    ),
    mistake('with an equals sign', `Bearer=${key}`, /equals sign follows the word Bearer/),
    mistake('without a space', `Bearer${key}`, /^The space between the word Bearer and the key is missing/),
    mistake('with a space inside', `Bearer ${key.slice(0, 20)} ${key.slice(20)}`, /^Character 21 after/),
    mistake('twice in one header', `Bearer ${key}, Bearer ${key}`, /^Character 42 after/),
    {
      what: 'in two headers',
      fields: [...authorization(`Bearer ${key}`), ...authorization(`Bearer ${key}`)],
      pattern: /^The request has more than one Authorization header/,
    },
    {
      what: 'in two headers of two schemes',
      fields: [...authorization('Basic YTpi'), ['authorization', `Bearer ${key}`]],
      pattern: /^The request has more than one Authorization header/,
    },
  ];
}

function brokenKeys(key: string): Mistake[] {
  const mistake = (what: string, token: string, pattern: RegExp): Mistake => ({
    what,
    fields: authorization(`Bearer ${token}`),
    pattern,
  });
  const at20 = (text: string) => key.slice(0, 20) + text + key.slice(21);
  return [
    mistake('one character short', key.slice(0, -1), /39 characters.*40.*1 character is missing/),
    mistake('twenty characters short', key.slice(0, 20), /20 characters.*40.*20 characters are missing/),
    mistake('one character long', `${key}0`, /1 after it/),
    mistake('the prefix alone', 'sk_live_', /8 characters.*32 characters are missing/),
    mistake('a hyphen in it', at20('-'), /^Character 21 is a hyphen/),
    mistake('an underscore in it', at20('_'), /^Character 21 is an underscore/),
    mistake(
      'a Cyrillic letter in it, in UTF-8',
      toLatin1(at20('\u0430')),
      /^Character 21 is a letter outside/,
    ),
    mistake(
      'an invisible character in it',
      toLatin1(at20('\u200b')),
      /^Character 21 is an invisible character/,
    ),
    mistake('another prefix', `sk_test_${key.slice(8)}`, /character 4 is the first that differs/),
    mistake('a capital prefix', `SK_LIVE_${key.slice(8)}`, /lowercase/),
    mistake('its first characters cut off', key.slice(3), /first 3 characters are missing/),
    mistake('the word undefined', 'undefined', /missing value/),
    mistake('the name of a variable', '$SOKU_API_KEY', /name of a variable/),
    mistake('the id of a key', `key_${'0'.repeat(26)}`, /id of a key/),
    mistake('a JSON Web Token', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln', /JSON Web Token/),
    mistake('ten thousand characters', `sk_live_${'a'.repeat(10_000)}`, /10008 characters/),
  ];
}

function previews(key: string): Mistake[] {
  const [start, end] = [key.slice(0, 11), key.slice(-3)];
  const shown = [
    `${start}...${end}`,
    `${start}\u2026${end}`,
    `${start}***${end}`,
    `${start}\u2022\u2022${end}`,
  ];
  return shown.map((preview, at) => ({
    what: ['with dots', 'with an ellipsis in UTF-8', 'with asterisks', 'with bullets in UTF-8'][at] ?? '',
    fields: authorization(`Bearer ${toLatin1(preview)}`),
    pattern: /shortened or masked.*not the key/,
  }));
}

/** @param key a valid key, from which the wrong credentials are derived */
export function mistakesWith(key: string): [ErrorCode, Mistake[]][] {
  const [last = '', other = '0'] = [key.at(-1), key.endsWith('0') ? '1' : '0'];
  const mistake = (what: string, value: string, pattern: RegExp): Mistake[] => [
    { what, fields: authorization(value), pattern },
  ];
  return [
    [
      'missing_authorization',
      [
        { what: 'without any header', fields: [], pattern: mention },
        { what: 'with an empty header', fields: authorization(''), pattern: mention },
        { what: 'with an empty parameter', fields: [], query: '?api_key=', pattern: mention },
        {
          what: 'with parameters that are not keys',
          fields: [],
          query: '?key=abc&token=1',
          pattern: mention,
        },
      ],
    ],
    ['key_in_query', inQuery(key)],
    ['wrong_header', otherHeaders(key)],
    [
      'missing_bearer',
      mistake('with the key alone', key, new RegExp(`Bearer is missing.*${mention.source}`)),
    ],
    ['unsupported_scheme', schemes(key)],
    ['malformed_authorization', malformed(key)],
    [
      'missing_prefix',
      mistake('with 32 characters', `Bearer ${key.slice(8)}`, /add .sk_live_. before.*matches/),
    ],
    ['key_preview', previews(key)],
    ['malformed_key', brokenKeys(key)],
    [
      'mistyped_key',
      mistake(
        'with another last character',
        `Bearer ${key.replace(new RegExp(`${last}$`), other)}`,
        /Copy the key again/,
      ),
    ],
    [
      'unknown_key',
      mistake('with a key that was never created', `Bearer ${generateKey()}`, /well formed but unknown/),
    ],
  ];
}
