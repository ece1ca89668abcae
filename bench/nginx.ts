import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../test/support/server.ts';
import { requireProgram } from './machine.ts';
import type { MeasuredProgram } from './measured-programs.ts';
import { registerProcess, stopProcess } from './processes.ts';

/**
 * Starts nginx with one worker on a core.
 *
 * @param core of both its processes
 * @param http returns the content of the http block for the given port
 */
export async function startNginx(core: number, http: (port: number) => string): Promise<MeasuredProgram> {
  const nginx = requireProgram('nginx');
  const directory = mkdtempDisposableSync(join(tmpdir(), 'soku-nginx-'));
  const port = await freePort();
  const file = join(directory.path, 'nginx.conf');
  writeFileSync(file, configuration(directory.path, http(port)));
  const child = spawn(
    'taskset',
    ['-c', String(core), nginx.file, '-p', directory.path, '-e', 'stderr', '-c', file],
    {
      env: { PATH: process.env.PATH, ...nginx.env },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  const pid = registerProcess(child.pid, once(child, 'exit'));
  const url = `http://127.0.0.1:${port}`;
  while (!(await responds(url)))
    if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}`);
  const workers = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  return {
    url,
    pids: [pid, ...workers],
    [Symbol.asyncDispose]: async () => {
      await stopProcess(child);
      directory.remove();
    },
  };
}

/** Connections are kept alive for any number of requests, on the client's side and on the upstream's. */
function configuration(directory: string, http: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
    daemon off;
    worker_processes 1;
    pid ${directory}/pid;
    error_log stderr error;
    events { worker_connections 4096; }
    http {
      access_log off;
      keepalive_requests 1000000000;
      ${temporary.map((name) => `${name}_temp_path ${directory}/${name};`).join('\n      ')}
      ${http}
    }
  `;
}

async function responds(url: string): Promise<boolean> {
  try {
    await fetch(url, { headers: { connection: 'close' } });
    return true;
  } catch {
    return new Promise((resolve) => setTimeout(resolve, 10, false));
  }
}
