import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** How to start a program that is not ours. */
export interface Program {
  file: string;
  /** The folder that stands for `/` to the files of its packages: '' when they are installed. */
  root: string;
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
 * Fetches packages and what they need, and unpacks them side by side. Nothing is installed, so this needs no root,
 * starts no service and changes nothing on the machine. The lists of packages may be missing or old; then they are
 * fetched, too. The folder gets its name last, so that a half-made one is never used.
 */
const unpack = `
  set -eu
  name=$1 target=$2
  shift 2
  [ ! -e "$target" ] || exit 0
  work=$(mktemp -d "$target.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$work/archives/partial" "$work/lists/partial" "$work/root"
  own() { apt-get -qq -o Debug::NoLocking=1 -o Dir::Cache="$work" -o Acquire::Retries=1 -o Acquire::http::Timeout=10 "$@" >&2; }
  fetch() { own install -y --download-only --no-install-recommends "$@"; }
  fetch "$@" || {
    own -o Dir::State::lists="$work/lists" update
    fetch -o Dir::State::lists="$work/lists" "$@"
  }
  for package in "$work"/archives/*.deb; do dpkg-deb -x "$package" "$work/root"; done
  mv "$work/root" "$target"
`;

/**
 * Finds a program of Debian's on the machine, or else unpacks it out of its package.
 *
 * @param name of the program
 * @param packages that it comes in. When there are several, they are unpacked even if the program is installed,
 *   because it may be without the others.
 * @returns the program, or why there is none. In CI it must be had: then this fails instead.
 */
export function debianProgram(name: string, packages: readonly string[] = [name]): Program | string {
  const installed = packages.length === 1 ? findInstalled(name) : null;
  if (installed !== null) return installed;
  const problem = unpackPackages(name, packages);
  const program = problem === null ? findUnpacked(name) : null;
  if (program !== null) return program;
  const why = `${name} is not installed and could not be: ${problem ?? 'its package has no such program'}`;
  if (process.env.CI !== undefined) throw new Error(why);
  return why;
}

function findInstalled(name: string): Program | null {
  const folders = [...(process.env.PATH ?? '').split(':'), ...systemFolders];
  const file = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  return file === undefined ? null : { file, root: '', env: {} };
}

function findUnpacked(name: string): Program | null {
  const root = join(cache, name);
  const [file] = globSync(`usr/{bin,sbin}/${name}`, { cwd: root });
  if (file === undefined) return null;
  const libraries = globSync('{lib,usr/lib}/*-linux-gnu*', { cwd: root }).map((path) => join(root, path));
  const env = libraries.length === 0 ? {} : { LD_LIBRARY_PATH: libraries.join(':') };
  return { file: join(root, file), root, env };
}

/**
 * The lock makes test files that run at once wait for each other; the system takes it back from one that dies.
 *
 * @returns why it could not be, or null
 */
function unpackPackages(name: string, packages: readonly string[]): string | null {
  for (const tool of ['apt-get', 'dpkg-deb', 'flock']) {
    if (findInstalled(tool) === null) return `${tool} is not here`;
  }
  const script = `mkdir -p "$1" && cache=$1 unpack=$2 name=$3 && shift 3 && exec flock "$cache/lock" sh -c "$unpack" sh "$name" "$cache/$name" "$@"`;
  const ran = spawnSync('sh', ['-c', script, 'sh', cache, unpack, name, ...packages], {
    encoding: 'utf8',
    timeout: patience,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
  });
  if (ran.status === 0) return null;
  return ran.stderr.trim().replaceAll('\n', ' ') || `unpacking ended with ${ran.status ?? ran.signal}`;
}
