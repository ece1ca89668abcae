import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, cpSync, lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { cacheDirectory, packageDirectory } from './postgres-installation.ts';

test('two concurrent processes can install PostgreSQL from a package without links that only root can read', async () => {
  const closed = mkdtempSync(join(cacheDirectory(), 'soku-closed-'));
  const open = mkdtempSync(join(cacheDirectory(), 'soku-open-'));
  try {
    chmodSync(open, 0o755);
    const copy = join(closed, 'package');
    // As npm installs it without install scripts.
    cpSync(packageDirectory(), copy, {
      recursive: true,
      filter: (path) => !lstatSync(path).isSymbolicLink(),
    });
    for (const entry of readdirSync(copy, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) chmodSync(join(entry.parentPath, entry.name), 0o600);
    }
    const program = `
      import { installPostgres } from ${JSON.stringify(new URL('./postgres-installation.ts', import.meta.url).href)};
      import { spawnSync } from 'node:child_process';
      const { program, template, user } = installPostgres(...process.argv.slice(1));
      const args = ['-D', template, '-C', 'server_version'];
      console.log(spawnSync(program, args, { ...user, cwd: '/', encoding: 'utf8' }).stdout);
    `;
    const children = [1, 2].map(() =>
      spawn(process.execPath, ['--input-type=module', '--eval', program, copy, open], {
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    );
    const versions = await Promise.all(children.map(({ stdout }) => text(stdout)));
    for (const version of versions) assert.match(version, /^18\./);
    assert.equal(readdirSync(open).length, 1);
  } finally {
    rmSync(closed, { recursive: true });
    rmSync(open, { recursive: true });
  }
});
