// Prevents deployments that carry the whole repository with its development packages, and upgrades that replace files
// under a running server, which loads some of them late.

import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const packagedNode = join(root, 'node_modules', '.bin', 'node');
/** EX_USAGE and EX_CANTCREAT of sysexits.h */
const [usage, cannotCreate] = [64, 73];

/** What runs in production, at the same relative paths. The bundles contain all packages that they use. */
const parts = ['LICENSE', 'packages/server/package.json', 'packages/server/dist', 'packages/dashboard/dist'];

const [target, ...options] = process.argv.slice(2);
if (target === undefined || target.startsWith('-') || options.some((option) => option !== '--node')) {
  console.error('Usage: npm run assemble -- DIRECTORY [--node]');
  process.exit(usage);
}
const to = resolve(process.env.INIT_CWD ?? '.', target);
if (existsSync(to) && readdirSync(to).length > 0) {
  console.error(
    `${to} is not empty. Use a new directory for each version, so that no running server loses files.`,
  );
  process.exit(cannotCreate);
}
// The server may run as another user than the one that installs it.
process.umask(0o022);
for (const part of parts) copy(join(root, part), join(to, part));
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
writeLauncher('soku-server', scripts.start.replace(/^exec /, ''));
writeLauncher('soku', scripts.soku);
if (options.includes('--node')) {
  if (!existsSync(packagedNode)) {
    console.error(`npm has no packaged Node for ${process.platform} ${process.arch}. Leave out --node.`);
    process.exit(usage);
  }
  copyFileSync(packagedNode, join(to, 'bin/node'));
  chmodSync(join(to, 'bin/node'), 0o755);
}

/** Copies files without their modes, and without the stamps of the build. */
function copy(from, path) {
  if (!existsSync(from)) throw new Error(`${from} is missing: run node scripts/prepare.mjs --build`);
  const entries = listFiles(from);
  for (const entry of entries) {
    const file = join(path, entry);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, readFileSync(join(from, entry)));
  }
}

/** @returns the relative paths of all files of a directory; for a file, an empty path */
function listFiles(path) {
  try {
    return readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== '.stamp')
      .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1));
  } catch (error) {
    if (error.code === 'ENOTDIR') return [''];
    throw error;
  }
}

/**
 * Writes a program that runs one of the npm scripts with the Node of the installation, or else that of the machine.
 * `exec` keeps the shell from standing between a service manager and the server.
 *
 * @param {string} name
 * @param {string} command starts with `node`, and ends with a path in the repository
 */
function writeLauncher(name, command) {
  const [, flags = '', program] = /^node (.*?)(packages\/\S+)$/.exec(command) ?? [];
  if (program === undefined) throw new Error(`the npm script for ${name} is not as expected: ${command}`);
  const file = join(to, 'bin', name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(
    file,
    `#!/bin/sh
root=$(dirname "$(dirname "$(readlink -f "$0")")")
PATH=$root/bin:$PATH
exec node ${flags}"$root/${program}" "$@"
`,
    { mode: 0o755 },
  );
}
