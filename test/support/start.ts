import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { patience } from './patience.ts';
import { spawnServer } from './server.ts';

/**
 * Starts a server that must refuse to start: fails unless it ends with this code and prints one line, which is
 * returned. The directory that it would have made is not there unless the test made it.
 */
export async function refusedStart(
  code: number,
  options: { env?: Record<string, string | undefined>; dataDir: string; unprivileged?: boolean },
): Promise<string> {
  const server = await spawnServer(options);
  // A start that is not refused would otherwise be waited for without end.
  const deadline = setTimeout(() => void server.kill(), patience);
  try {
    const ended = await server.exited();
    assert.deepEqual(ended, { code, signal: null }, server.output);
    assert.match(server.output, /^soku: .+\n$/, 'one line');
    return server.output;
  } finally {
    clearTimeout(deadline);
    await server.kill();
  }
}

/** What a data directory has: the hash and the rights of each file. The lock's files are nobody's data. */
export function contentsOf(directory: string): Record<string, string> {
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
