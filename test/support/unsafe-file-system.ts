/** File systems on which a data directory is not safe, without a second machine. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './contract.ts';
import { debianProgram } from './debian.ts';
import { newDataDir } from './server.ts';

interface UnsafeFileSystem {
  /** A directory on it. */
  directory: string;
  unmount(): Promise<void>;
}

/** Arguments of bindfs. It passes locks on to the file system below only with these. */
const forwardsLocks = ['--enable-lock-forwarding', '--multithreaded'];

/** Results of fcntl(2) to bindfs, and thus of its file system to every lock. */
const results = { refused: 'error=ENOLCK', granted: 'retval=0' };

/**
 * Mounts a FUSE file system; undefined where this process may not.
 *
 * @param locks how it responds: it grants each one even if another process holds it, it refuses each one, or it leaves
 *   them to the kernel
 * @param options for bindfs
 */
export async function mountUnsafeFileSystem(
  locks: 'granted' | 'refused' | 'kernel',
  options: readonly string[] = [],
): Promise<UnsafeFileSystem | undefined> {
  const bindfs = debianProgram('bindfs', ['bindfs', 'fuse3']);
  const strace = debianProgram('strace');
  if (!existsSync('/dev/fuse') || typeof bindfs === 'string' || typeof strace === 'string') return undefined;
  const root = newDataDir();
  const [below, directory] = [join(root, 'below'), join(root, 'mounted')];
  for (const path of [below, directory]) mkdirSync(path, { mode: 0o700 });
  const mount = [
    bindfs.file,
    '-f',
    ...(locks === 'kernel' ? [] : forwardsLocks),
    ...options,
    below,
    directory,
  ];
  const command =
    locks === 'kernel'
      ? mount
      : [strace.file, '-f', '-o', '/dev/null', '-e', `inject=fcntl:${results[locks]}`, ...mount];
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    env: { ...process.env, ...strace.env, ...bindfs.env },
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  const isMounted = () => statSync(directory).dev !== statSync(root).dev;
  await eventually(
    async () => isMounted() || hasEnded(child),
    (settled) => settled,
  );
  if (!isMounted()) {
    rmSync(root, { recursive: true });
    return undefined;
  }
  return {
    directory,
    unmount: async () => {
      execFileSync('umount', [directory]);
      await ended;
      rmSync(root, { recursive: true });
    },
  };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/**
 * A command under which a process finds another type of file system everywhere (statfs(2)); undefined if this is not
 * possible here.
 *
 * @param type its first field, 8 bytes in the order of the machine
 * @param failing a system call that fails with EMFILE
 */
export function withFileSystemType(type: number, failing?: string): string[] | undefined {
  const strace = debianProgram('strace');
  if (typeof strace === 'string') return undefined;
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(type));
  const traced = failing === undefined ? 'statfs' : `statfs,${failing}`;
  const command = [strace.file, '-D', '-f', '-o', '/dev/null', '-e', `trace=${traced}`];
  command.push('-e', `inject=statfs:poke_exit=@arg2=${bytes.toString('hex')}`);
  if (failing !== undefined) command.push('-e', `inject=${failing}:error=EMFILE`);
  const env = Object.entries(strace.env).map(([name, value]) => `${name}=${value}`);
  const prefix = env.length === 0 ? command : ['env', ...env, ...command];
  const [program = '', ...args] = prefix;
  return spawnSync(program, [...args, 'true']).status === 0 ? prefix : undefined;
}
