/** A data directory on a disk that a test can break and repair. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { newDataDir, type TestServer } from './server.ts';

export interface BadDisk {
  dataDir: string;
  /** The reason that /readyz reports when the disk fails. */
  reason: string;
  fail(server: TestServer): void;
  repair(server: TestServer): void;
  remove(): void;
}

/** A separate file system that is filled up; undefined where this process may not mount one. */
export function fullDisk(): BadDisk | undefined {
  const root = newDataDir();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m,mode=0700', 'tmpfs', root], { stdio: 'ignore' });
  } catch {
    rmSync(root, { recursive: true });
    return undefined;
  }
  const dataDir = join(root, 'data');
  mkdirSync(dataDir, { mode: 0o700 });
  const ballast = join(root, 'ballast');
  return {
    dataDir,
    reason: 'disk_full',
    fail: () => fill(ballast),
    repair: () => rmSync(ballast),
    remove: () => {
      execFileSync('umount', ['--lazy', root]);
      rmSync(root, { recursive: true });
    },
  };
}

/** Makes every write of the process fail with an error other than "full". */
export function failingDisk(): BadDisk {
  const dataDir = newDataDir();
  return {
    dataDir,
    reason: 'storage_failed',
    fail: (server) => limitFileSize(server, '0'),
    repair: (server) => limitFileSize(server, 'unlimited'),
    remove: () => rmSync(dataDir, { recursive: true }),
  };
}

/** With the limit 0, each write of the process to a file fails (setrlimit(2)). */
export function limitFileSize({ pid }: Pick<TestServer, 'pid'>, bytes: '0' | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`]);
}

function fill(file: string): void {
  const descriptor = openSync(file, 'w');
  try {
    for (let size = 1024 * 1024; size >= 1; ) {
      try {
        if (writeSync(descriptor, Buffer.alloc(size)) < size) size = Math.floor(size / 2);
      } catch {
        size = Math.floor(size / 2);
      }
    }
  } finally {
    closeSync(descriptor);
  }
}
