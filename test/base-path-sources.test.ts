/**
 * The dashboard can be published under a path, so it must not request or link to a path of its server without the base
 * path. The router adds it to its own links; everything else uses base-path.ts.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type * as ESTree from 'oxc-parser';
import { parseSync, Visitor } from 'oxc-parser';
import { root } from './support/server.ts';

const dashboard = join(root, 'packages/dashboard/src');

/** These compare the address with one that has the base path. */
const readsAddress = ['base-path.ts', 'session/safe-path.ts', 'pages/settings/webhooks/is-webhook-open.ts'];

test('the dashboard uses no path of its server without the base path', () => {
  const files = globSync('**/*.{ts,tsx}', { cwd: dashboard }).filter((file) => !file.includes('.test.'));
  assert.ok(files.length > 200, 'the sources were found');
  const found = files.flatMap((file) =>
    pathsIn(file, readFileSync(join(dashboard, file), 'utf8')).map((line) => `${file}:${line}`),
  );
  assert.deepEqual(found, []);
});

for (const source of [
  "await fetch('/v1/me')",
  'await fetch(path, { method })',
  'const a = <a href="/openapi.json">openapi.json</a>;',
  "const a = <a href={'/openapi.json'}>openapi.json</a>;",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is code
  'const a = <img src={`/assets/${name}`} />;',
  "history.replaceState(null, '', '/');",
  "window.open('/docs')",
  "location.assign('/docs')",
  "window.location.href = '/docs'",
  'const url = window.location.origin;',
  "const isOpen = window.location.pathname === '/docs';",
]) {
  test(`the check finds: ${source}`, () =>
    assert.deepEqual(pathsIn('part.tsx', source), ['1: a path without the base path']));
}

test('other paths are allowed', () => {
  for (const source of [
    "await fetch(withBasePath('/v1/me'))",
    "const a = <a href={withBasePath('/openapi.json')}>openapi.json</a>;",
    'const a = <Link to="/docs">API reference</Link>;',
    'const path = useRouterState({ select: ({ location }) => location.pathname });',
    'const a = <a href="#top">Top</a>;',
    'const url = document.createElement("a").href;',
    "history.replaceState(null, '', withBasePath('/'));",
  ])
    assert.deepEqual(pathsIn('part.tsx', source), [], source);
});

/** Calls that take an address, and which argument it is. */
const calls: Record<string, number> = { fetch: 0, open: 0, assign: 0, replaceState: 2, pushState: 2 };

/** The lines with a path that lacks the base path. */
function pathsIn(file: string, source: string): string[] {
  const { program, errors } = parseSync(file, source, { preserveParens: false });
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  const found: ESTree.Node[] = [];
  new Visitor({
    CallExpression: ({ callee, arguments: given }) => {
      const name = nameOf(callee);
      const address = given[calls[name] ?? Number.POSITIVE_INFINITY];
      if (address === undefined || isFromBase(address)) return;
      if (name === 'fetch' || isPath(address)) found.push(address);
    },
    JSXAttribute: ({ name, value }) => {
      if (!['href', 'src', 'action'].includes(String(name.name)) || value === null) return;
      const given = value.type === 'JSXExpressionContainer' ? value.expression : value;
      if (isPath(given)) found.push(value);
    },
    AssignmentExpression: ({ left, right }) => {
      if (nameOf(left) === 'href' && isPath(right)) found.push(right);
    },
    MemberExpression: (member) => {
      const isAddress = ['origin', 'host', 'pathname'].includes(nameOf(member));
      if (isAddress && isWindowLocation(member.object) && !readsAddress.includes(file)) found.push(member);
    },
  }).visit(program);
  return found.map(
    (node) => `${source.slice(0, node.start).split('\n').length}: a path without the base path`,
  );
}

/** The last name of `name` or `object.name`. */
function nameOf(node: ESTree.Node): string {
  if (node.type === 'Identifier') return node.name;
  return node.type === 'MemberExpression' && node.property.type === 'Identifier' ? node.property.name : '';
}

function isWindowLocation(node: ESTree.Node): boolean {
  return node.type === 'MemberExpression' && nameOf(node) === 'location' && nameOf(node.object) === 'window';
}

function isFromBase(node: ESTree.Node): boolean {
  return node.type === 'CallExpression' && nameOf(node.callee) === 'withBasePath';
}

function isPath(node: ESTree.Node): boolean {
  if (node.type === 'Literal') return typeof node.value === 'string' && node.value.startsWith('/');
  return node.type === 'TemplateLiteral' && node.quasis[0]?.value.raw.startsWith('/') === true;
}
