import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { closeSync, mkdtempSync, openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { debianProgram, type Program } from '../support/debian.ts';
import { root } from '../support/server.ts';

/** Bubblewrap runs a command with the namespaces of a container, without root and without a registry of images. */
const bubblewrap = debianProgram('bwrap', ['bubblewrap']);
/** Why no sandbox can be created: the machine may deny user namespaces. A test runs wherever it can, also in CI. */
export const skipWithoutSandbox: string | false =
  typeof bubblewrap === 'string' ? bubblewrap : problemOf(bubblewrap);

function problemOf({ file, env }: Program): string | false {
  const namespaces = [
    '--unshare-user',
    '--uid',
    '1000',
    '--unshare-pid',
    '--unshare-ipc',
    '--cap-drop',
    'ALL',
  ];
  const mounts = ['--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp'];
  const probe = spawnSync(file, [...namespaces, ...mounts, 'true'], { env, encoding: 'utf8' });
  return probe.status === 0
    ? false
    : `this machine allows no namespaces: ${probe.stderr.trim() || probe.error?.message}`;
}

/** What Bubblewrap reports about the command; the process id is that of the machine. */
const startedSchema = z.object({ 'child-pid': z.number() });

export interface Sandbox {
  /** The assembled installation, at /opt/soku. With `root`: it has its own. */
  installation?: string;
  /** The files of an image. Default: programs of this machine, and Node at /base. */
  root?: string;
  /** The only directory on a disk that is writable, and its path in the sandbox. */
  dataDir: string;
  dataPath: string;
  uid: string;
  workDir: string;
  env: Record<string, string>;
  /** The file that a command reads as its input. */
  input?: string;
}

/** A copy of what runs in production, made as operators make it. */
export function assemble(options: readonly string[] = [], directory = newInstallation()): string {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/assemble.mjs', directory, ...options], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return directory;
}

function newInstallation(): string {
  return join(mkdtempSync(join(tmpdir(), 'soku-installation-')), 'soku');
}

/** Everything but the data directory and /tmp is read-only, no capability is left, and the command is process 1. */
function argumentsFor(sandbox: Sandbox): string[] {
  const { dataDir, dataPath, uid, workDir, env } = sandbox;
  const variables = Object.entries(env).flatMap(([name, value]) => ['--setenv', name, value]);
  return [
    ...['--unshare-user', '--uid', uid, '--gid', uid, '--unshare-pid', '--as-pid-1', '--unshare-ipc'],
    ...['--cap-drop', 'ALL', '--die-with-parent', '--clearenv', ...variables],
    ...(sandbox.root === undefined ? ownFiles(sandbox.installation) : ['--ro-bind', sandbox.root, '/']),
    ...['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp', '--bind', dataDir, dataPath],
    ...['--remount-ro', '/', '--chdir', workDir],
  ];
}

function ownFiles(installation = ''): string[] {
  return [
    ...['--ro-bind', '/usr', '/usr'],
    ...['bin', 'lib', 'lib64'].flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`]),
    ...['--ro-bind', '/etc/hosts', '/etc/hosts', '--ro-bind', '/etc/ld.so.cache', '/etc/ld.so.cache'],
    // The base image has Node.
    ...['--ro-bind', process.execPath, '/base/node', '--ro-bind', installation, '/opt/soku'],
  ];
}

/** A command in a sandbox. */
export class SandboxedProcess {
  readonly #child: ChildProcess;
  readonly #output: string[] = [];
  readonly #status: string[] = [];
  readonly #exit: Promise<unknown[]>;
  readonly #changes = new EventEmitter();

  constructor(sandbox: Sandbox, command: readonly string[]) {
    if (typeof bubblewrap === 'string') throw new Error(bubblewrap);
    const status = ['--json-status-fd', '3'];
    const input = sandbox.input === undefined ? undefined : openSync(sandbox.input, 'r');
    this.#child = spawn(bubblewrap.file, [...status, ...argumentsFor(sandbox), ...command], {
      env: { ...bubblewrap.env },
      stdio: [input ?? 'ignore', 'pipe', 'pipe', 'pipe'],
    });
    if (input !== undefined) closeSync(input);
    const [, stdout, stderr, statusStream] = this.#child.stdio;
    this.#read(stdout, this.#output);
    this.#read(stderr, this.#output);
    this.#read(statusStream, this.#status);
    this.#exit = once(this.#child, 'close');
    void this.#exit.then(() => this.#changes.emit('change'));
  }

  get output(): string {
    return this.#output.join('');
  }

  /** Resolves when the output contains `text`; fails if the process ends without it. */
  async printed(text: string): Promise<void> {
    const ended = this.#exit.then(() => true);
    while (!this.output.includes(text)) {
      const isEnded = await Promise.race([ended, once(this.#changes, 'change').then(() => false)]);
      if (isEnded && !this.output.includes(text)) throw new Error(`ended without "${text}": ${this.output}`);
    }
  }

  /** Sends a signal to the command, not to Bubblewrap, as a container's engine does. */
  signal(name: NodeJS.Signals): void {
    const [line = ''] = this.#status.join('').split('\n');
    process.kill(startedSchema.parse(JSON.parse(line))['child-pid'], name);
  }

  /** Ends the command if it still runs, so that a failed test leaves nothing behind. */
  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exit;
  }

  /** @returns the exit code of the command */
  async exited(): Promise<number> {
    const [code] = await this.#exit;
    return z.number().parse(code);
  }

  #read(stream: unknown, into: string[]): void {
    if (!(stream instanceof Readable)) throw new Error('the stream is missing');
    stream.setEncoding('utf8').on('data', (text: string) => {
      into.push(text);
      this.#changes.emit('change');
    });
  }
}
