import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { Program } from './debian.ts';
import { freePort } from './server.ts';

/** A real PgBouncer in front of one database. */
export interface PgBouncer {
  url: string;
  stop(): Promise<void>;
}

/**
 * @param target URL of the database, with its user and password
 * @param settings of pgbouncer.ini, such as pool_mode
 */
export async function startPgBouncer(
  program: Program,
  target: string,
  settings: Record<string, string>,
): Promise<PgBouncer> {
  const { hostname, port: targetPort, pathname, username, password } = new URL(target);
  const name = pathname.slice(1);
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'soku-pgbouncer-'));
  const lines = Object.entries({
    listen_addr: '127.0.0.1',
    listen_port: port,
    auth_type: 'any',
    ...settings,
  });
  writeFileSync(
    join(folder, 'pgbouncer.ini'),
    `[databases]
${name} = host=${hostname} port=${targetPort} dbname=${name} user=${username} password=${password}
[pgbouncer]
unix_socket_dir =
${lines.map(([key, value]) => `${key} = ${value}`).join('\n')}
`,
    { mode: 0o600 },
  );
  // PgBouncer refuses to run as root.
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const child = spawn(program.file, [...user, join(folder, 'pgbouncer.ini')], {
    env: { PATH: process.env.PATH, ...program.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const ended = once(child, 'close');
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true });
  };
  while (!(await accepts(port))) {
    if (child.exitCode === null) await turn();
    else throw new Error(`PgBouncer ended: ${output}`);
  }
  const url = new URL(target);
  url.port = String(port);
  return { url: url.href, stop };
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
