import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** How to start an external program. */
export interface Program {
  file: string;
  /** The folder that serves as `/` for its packages: '' when they are installed. */
  root: string;
  /** Additional variables, such as the path of its libraries. */
  env: Record<string, string>;
}

/** Where packages are unpacked, one folder each. Git ignores it, and `npm ci` empties it. */
const cache = fileURLToPath(new URL('../../node_modules/.cache/debian/', import.meta.url));

/** Debian's folders of system programs, which are often missing in PATH. */
const systemFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Longer than any download takes, in ms. */
const timeoutMs = 120_000;

/**
 * Fetches packages with their dependencies and unpacks them into one folder. Nothing is installed, so this needs no
 * root, starts no service and changes nothing on the machine. Package lists are also fetched when they are missing or
 * old. The folder gets its name last, so that an incomplete one is never used.
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
  fetch() { own install -y --reinstall --download-only --no-install-recommends "$@"; }
  fetch "$@" || {
    own -o Dir::State::lists="$work/lists" update
    fetch -o Dir::State::lists="$work/lists" "$@"
  }
  for package in "$work"/archives/*.deb; do dpkg-deb -x "$package" "$work/root"; done
  mv "$work/root" "$target"
`;

/**
 * Finds a Debian program on the machine, or unpacks it from its package.
 *
 * @param name of the program
 * @param packages that contain it. If there are several, they are unpacked even if the program is installed, because
 *   the others may be missing
 * @returns the program, or the reason why it is missing. In CI a missing program is an error
 */
export function debianProgram(name: string, packages: readonly string[] = [name]): Program | string {
  const installed = packages.length === 1 ? findInstalled(name) : null;
  if (installed !== null) return installed;
  const problem = unpackPackages(name, packages);
  const program = problem === null ? findUnpacked(name) : null;
  if (program !== null) return program;
  const why = `${name} is not installed and could not be unpacked: ${problem ?? 'its package does not contain the program'}`;
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
 * The lock serializes concurrent test files. The operating system releases it when a process ends.
 *
 * @returns the reason of a failure, or null
 */
function unpackPackages(name: string, packages: readonly string[]): string | null {
  for (const tool of ['apt-get', 'dpkg-deb', 'flock']) {
    if (findInstalled(tool) === null) return `${tool} is not installed`;
  }
  const script = `mkdir -p "$1" && cache=$1 unpack=$2 name=$3 && shift 3 && exec flock "$cache/lock" sh -c "$unpack" sh "$name" "$cache/$name" "$@"`;
  const ran = spawnSync('sh', ['-c', script, 'sh', cache, unpack, name, ...packages], {
    encoding: 'utf8',
    timeout: timeoutMs,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
  });
  if (ran.status === 0) return null;
  return ran.stderr.trim().replaceAll('\n', ' ') || `unpacking ended with ${ran.status ?? ran.signal}`;
}
