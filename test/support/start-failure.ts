import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { spawnServer } from './server.ts';
import { testTimeoutMs } from './test-timeout.ts';

/**
 * Starts a server that must refuse to start: fails unless it ends with this exit code and prints one line, which is
 * returned. Its data directory must not exist afterwards unless the test created it.
 */
export async function expectStartFailure(
  code: number,
  options: Parameters<typeof spawnServer>[0] & { dataDir: string },
): Promise<string> {
  const server = await spawnServer(options);
  // A start that succeeds would otherwise never end.
  const deadline = setTimeout(() => void server.kill(), testTimeoutMs);
  try {
    const exit = await server.exited();
    assert.deepEqual(exit, { code, signal: null }, server.output);
    assert.match(server.output, /^soku: .+\n$/, 'the output must be one line');
    return server.output;
  } finally {
    clearTimeout(deadline);
    await server.kill();
  }
}

/** The contents of a data directory: hash and mode of each file, without the lock files. */
export function directoryContents(directory: string): Record<string, string> {
  if (!existsSync(directory)) return {};
  const names = globSync('**', { cwd: directory }).filter((name) => !/^(\.|lock.*)$/.test(name));
  return Object.fromEntries(
    names.sort().map((name) => {
      const path = join(directory, name);
      const state = statSync(path);
      const content = state.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : 'dir';
      return [name, `${(state.mode & 0o777).toString(8)} ${content}`];
    }),
  );
}
