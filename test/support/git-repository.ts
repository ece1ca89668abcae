import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const identity = ['user.name=Ada', 'user.email=ada@example.com', 'commit.gpgsign=false', 'gc.auto=0'];

/** A new Git work tree in a temporary folder. */
export class GitRepository implements Disposable {
  readonly path: string;

  constructor() {
    this.path = mkdtempSync(join(tmpdir(), 'soku-scan-'));
    this.git('init', '--quiet', '--initial-branch=main');
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  git(...args: string[]): string {
    const settings = identity.flatMap((setting) => ['-c', setting]);
    return execFileSync('git', ['-C', this.path, ...settings, ...args], { encoding: 'utf8', stdio: 'pipe' });
  }

  write(file: string, content: string | Uint8Array): void {
    const path = join(this.path, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }

  /** @returns the ID of the commit */
  commit(message: string): string {
    this.git('add', '--all');
    this.git('commit', '--quiet', '--allow-empty', '-m', message);
    return this.git('rev-parse', 'HEAD').trim();
  }
}
