import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** How to start a program that is not ours. */
export interface Program {
  file: string;
  /** Beside what it needs anyway: where its own libraries are. */
  env: Record<string, string>;
}

/** Where packages are unpacked, one folder each. Git does not see it, and `npm ci` empties it. */
const cache = fileURLToPath(new URL('../../node_modules/.cache/debian/', import.meta.url));

/** Where Debian has programs of the system; a PATH without them is usual. */
const systemFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Longer than any download takes, in ms. */
const patience = 120_000;

/**
 * Fetches a package and what it needs, and unpacks them side by side. Nothing is installed, so this needs no root,
 * starts no service and changes nothing on the machine. The lists of packages may be missing or old; then they are
 * fetched, too. The folder gets its name last, so that a half-made one is never used.
 */
const unpack = `
  set -eu
  name=$1 target=$2
  [ ! -e "$target" ] || exit 0
  work=$(mktemp -d "$target.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$work/archives/partial" "$work/lists/partial" "$work/root"
  own() { apt-get -qq -o Debug::NoLocking=1 -o Dir::Cache="$work" -o Acquire::Retries=1 -o Acquire::http::Timeout=10 "$@" >&2; }
  fetch() { own install -y --download-only --no-install-recommends "$@" "$name"; }
  fetch || {
    own -o Dir::State::lists="$work/lists" update
    fetch -o Dir::State::lists="$work/lists"
  }
  for package in "$work"/archives/*.deb; do dpkg-deb -x "$package" "$work/root"; done
  mv "$work/root" "$target"
`;

/**
 * Finds a program of Debian's on the machine, or else unpacks it out of its package.
 *
 * @param name of the program, which is the package's, too
 * @returns the program, or why there is none. In CI it must be had: then this fails instead.
 */
export function debianProgram(name: string): Program | string {
  const installed = findInstalled(name);
  if (installed !== null) return installed;
  const problem = unpackPackage(name);
  const program = problem === null ? findUnpacked(name) : null;
  if (program !== null) return program;
  const why = `${name} is not installed and could not be: ${problem ?? 'its package has no such program'}`;
  if (process.env.CI !== undefined) throw new Error(why);
  return why;
}

function findInstalled(name: string): Program | null {
  const folders = [...(process.env.PATH ?? '').split(':'), ...systemFolders];
  const file = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  return file === undefined ? null : { file, env: {} };
}

function findUnpacked(name: string): Program | null {
  const root = join(cache, name);
  const [file] = globSync(`usr/{bin,sbin}/${name}`, { cwd: root });
  if (file === undefined) return null;
  const libraries = globSync('{lib,usr/lib}/*-linux-gnu*', { cwd: root }).map((path) => join(root, path));
  const env = libraries.length === 0 ? {} : { LD_LIBRARY_PATH: libraries.join(':') };
  return { file: join(root, file), env };
}

/**
 * The lock makes test files that run at once wait for each other; the system takes it back from one that dies.
 *
 * @returns why it could not be, or null
 */
function unpackPackage(name: string): string | null {
  for (const tool of ['apt-get', 'dpkg-deb', 'flock']) {
    if (findInstalled(tool) === null) return `${tool} is not here`;
  }
  const script = `mkdir -p "$1" && exec flock "$1/lock" sh -c "$2" sh "$3" "$1/$3"`;
  const ran = spawnSync('sh', ['-c', script, 'sh', cache, unpack, name], {
    encoding: 'utf8',
    timeout: patience,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
  });
  if (ran.status === 0) return null;
  return ran.stderr.trim().replaceAll('\n', ' ') || `unpacking ended with ${ran.status ?? ran.signal}`;
}
