/** Which rule matches a request, for every spelling of its path. */
import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { codeBlocks } from '../../../../test/support/markdown.ts';
import { runCount } from '../../../../test/support/run-count.ts';
import { matchesRule, type Rule, requirementsFor } from './rules.ts';
import { parseRules, RulesError } from './rules-file.ts';
import { parseUnambiguousPath } from './unambiguous-path.ts';

function requestOf(method: string, url: string, rawHeaders: string[] = []): IncomingMessage {
  return Object.assign(new IncomingMessage(new Socket()), { method, url, rawHeaders });
}

/** The scopes that the rules require, the code of a rejection, 'denied', or 'any key'. */
function asked(rules: readonly Rule[], method: string, url: string, rawHeaders?: string[]): string {
  const demand = requirementsFor(rules, requestOf(method, url, rawHeaders));
  if ('code' in demand) return demand.code;
  return demand.denied === undefined ? (demand.needs?.join(' ') ?? 'any key') : 'denied';
}

const rules = parseRules(`[
  {"methods": ["GET"], "path": "/files/*", "scopes": ["files:read"]},
  {"path": "/files/*", "scopes": ["files:read", "files:write"]},
  {"path": "/users/*/avatar"},
  {"path": "/users/*", "scopes": ["users:read"]},
  {"path": "/internal/*", "deny": true},
  {"path": "/health"}
]`);

test('the first matching rule decides, and without one any valid key is accepted', () => {
  const cases: [string, string, string][] = [
    ['GET', '/files', 'files:read'],
    ['GET', '/files/', 'files:read'],
    ['GET', '/files/a/b?c=/../d//', 'files:read'],
    ['HEAD', '/files/a', 'files:read'],
    ['POST', '/files/a', 'files:read files:write'],
    ['GET', '/FILES/a', 'files:read'],
    ['GET', '/%66iles/%C3%BC', 'files:read'],
    ['GET', '/filesystem', 'any key'],
    ['GET', '/users/ada/avatar', 'any key'],
    ['GET', '/users/ada/avatar/big', 'users:read'],
    ['GET', '/users', 'users:read'],
    ['DELETE', '/internal/x', 'denied'],
    ['GET', '/health/', 'any key'],
    ['GET', '/', 'any key'],
  ];
  for (const [method, url, expected] of cases) assert.equal(asked(rules, method, url), expected, url);
  assert.equal(asked([], 'GET', '//files/..;/%2e'), 'any key', 'without rules nothing is rejected');
});

test('a request that overrides its method is rejected', () => {
  for (const name of ['X-HTTP-Method-Override', 'x_http_method', 'X-Method-Override']) {
    assert.equal(asked(rules, 'GET', '/files/a', [name, 'DELETE']), 'invalid_request', name);
  }
  for (const query of ['_method=DELETE', 'a=1&%5Fmethod=PUT', 'a;_METHOD=PUT', '_method']) {
    assert.equal(asked(rules, 'GET', `/files/a?${query}`), 'invalid_request', query);
  }
  assert.equal(asked(rules, 'GET', '/files/a?x_method=1'), 'files:read');
});

const segment = fc.stringMatching(/^[a-z][a-z0-9_~-]{0,6}$/);

/** Other spellings of a path, which some servers treat as equal. */
const respellings: ((path: string, at: number) => string)[] = [
  (path) => `${path}/`,
  (path) => path.toUpperCase(),
  (path, at) => encodeAt(path, at),
  (path, at) => encodeAt(path, at).replace('%', '%25'),
  (path, at) => insertAt(path, at, '/'),
  (path, at) => insertAt(path, at, '/.'),
  (path, at) => insertAt(path, at, '/x/..'),
  (path, at) => insertAt(path, at, '/%2e'),
  (path, at) => insertAt(path, at, '/x/%2E%2e'),
  (path, at) => insertAt(path, at, '/x/..;'),
  (path, at) => insertAt(path, at, ';a=b'),
  (path, at) => insertAt(path, at, '%3Ba'),
  (path, at) => insertAt(path, at, '%00'),
  (path, at) => insertAt(path, at, '.'),
  (path, at) => insertAt(path, at, '%20'),
  (path, at) => replaceSlash(path, at, '%2F'),
  (path, at) => replaceSlash(path, at, '\\'),
  (path, at) => replaceSlash(path, at, '%5c'),
  (path, at) => replaceSlash(path, at, encodeURIComponent('\uff0f')),
  (path) => `${path}%3Fa`,
  (path) => `${path}%23`,
];

/** Encodes one letter of the path. */
function encodeAt(path: string, at: number): string {
  const i = 1 + (at % (path.length - 1));
  return path.slice(0, i) + encodeByte(path.charAt(i)) + path.slice(i + 1);
}

function encodeByte(character: string): string {
  return `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** Inserts a text after one of the segments. */
function insertAt(path: string, at: number, text: string): string {
  const parts = path.split('/');
  const i = 1 + (at % (parts.length - 1));
  return `${parts.slice(0, i + 1).join('/')}${text}${['', ...parts.slice(i + 1)].join('/')}`;
}

/** Replaces a slash that is not the first. */
function replaceSlash(path: string, at: number, text: string): string {
  const parts = path.slice(1).split('/');
  if (parts.length === 1) return path;
  const i = 1 + (at % (parts.length - 1));
  return `/${parts.slice(0, i).join('/')}${text}${parts.slice(i).join('/')}`;
}

test('another spelling of a path either matches the same rule or is rejected', () => {
  const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`);
  const pattern = fc
    .array(fc.oneof(segment, fc.constant('*')), { minLength: 1, maxLength: 4 })
    .map((segments): Rule => ({ segments, scopes: [segments.join('.')] }));
  fc.assert(
    fc.property(
      path,
      fc.array(pattern, { minLength: 1, maxLength: 4 }),
      fc.array(fc.tuple(fc.constantFrom(...respellings), fc.nat(20)), { minLength: 1, maxLength: 3 }),
      (plain, patterns, changes) => {
        const own = { segments: plain.slice(1).split('/'), scopes: ['own'] };
        const all = [...patterns, own];
        const variant = changes.reduce((text, [rewrite, at]) => rewrite(text, at), plain);
        const found = asked(all, 'GET', variant);
        assert.ok([asked(all, 'GET', plain), 'invalid_request'].includes(found), `${variant}: ${found}`);
      },
    ),
    { numRuns: runCount(500, 20_000) },
  );
});

test('paths are compared decoded, and only if they are unambiguous', () => {
  const cases: [string, string[] | undefined][] = [
    ['/', []],
    ['/A%42/c%20d/', ['ab', 'c d']],
    ['/a:b@c/d+e,f=g', ['a:b@c', 'd+e,f=g']],
    ['/%e2%82', undefined],
    ['/a%2Fb', undefined],
    ['/a%', undefined],
    ['/a%4', undefined],
    ['/a%zz', undefined],
    ['/a/...', undefined],
    ['//', undefined],
    ['a/b', undefined],
    ['/%E2%80%A6', undefined],
  ];
  for (const [url, expected] of cases) assert.deepEqual(parseUnambiguousPath(url), expected, url);
  assert.equal(matchesRule({ segments: ['a', '*', 'b'] }, 'GET', ['a', 'b']), false);
});

test('the rules in the documentation are valid', () => {
  const [example = ''] = codeBlocks('docs/gateway.md', 'json');
  assert.equal(asked(parseRules(example), 'PUT', '/files/1'), 'files:read files:write');
});

test('an invalid rules file is rejected with its line and field', () => {
  const rule = (fields: string) => `[\n  {"path": "/a"},\n  {${fields}}\n]`;
  const cases: [string, RegExp][] = [
    ['', /^is not valid JSON at line 1: /],
    ['[\n{"path": "/a",}\n]', /^is not valid JSON at line 2: /],
    ['{}', /^is invalid at line 1: the file is not a list of rules$/],
    [rule('"path": "a"'), /^is invalid at line 3: 1\.path does not begin with a slash$/],
    [rule('"path": "/a*"'), /1\.path has a \* that is not a whole segment$/],
    [rule('"path": "/a/%2A"'), /1\.path has a \* that is not a whole segment$/],
    [rule('"path": "/*/\uff0a"'), /1\.path has a \* that is not a whole segment$/],
    [rule('"path": "/a?b"'), /1\.path has a query$/],
    [rule('"path": "/a//b"'), /1\.path is not a plain path/],
    [rule('"path": "/a",\n"methods": ["get"]'), /^is invalid at line 4: 1\.methods\.0 is not an HTTP method/],
    [rule('"path": "/a", "methods": []'), /1\.methods is empty/],
    [rule('"path": "/a", "scopes": []'), /1\.scopes is empty/],
    [rule('"path": "/a", "scopes": ["a b"]'), /1\.scopes\.0 is not a scope$/],
    [rule('"path": "/a", "scope": ["a"]'), /^is invalid at line 3: 1\.scope is not a field of a rule$/],
    [
      rule('"path": "/a", "scopes": ["a"], "deny": true'),
      /^is invalid at line 3: 1 has both scopes and deny$/,
    ],
    [rule('"path": "/a",\n"deny": true,\n"deny": false'), /^is invalid at line 5: 1\.deny is duplicated$/],
    [rule('"methods": ["GET"]'), /^is invalid at line 3: 1\.path /],
  ];
  for (const [text, says] of cases) {
    assert.throws(
      () => parseRules(text),
      (error) => error instanceof RulesError && says.test(error.message),
      text,
    );
  }
});
