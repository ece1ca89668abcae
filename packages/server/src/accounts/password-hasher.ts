import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { passwordWorkerUrl } from '../paths.ts';
import type { PasswordCheck } from './password-hash.ts';
import type { PasswordResult, PasswordTask, PasswordValue } from './password-worker.ts';

/** Maximum number of concurrent hashes: half of the cores stay free for verification, and each hash takes 32 MB. */
export const maxConcurrentHashes = Math.max(1, Math.min(4, Math.floor(availableParallelism() / 2)));

/** Idle time in ms after which a worker ends, to free its memory. */
const idleTime = 10_000;

/** Hashes and checks passwords on worker threads, which start with the first task and end when they are idle. */
export class PasswordHasher {
  readonly #threads: HashThread[];
  #closed = false;

  /** @param startWorker how a thread starts its worker */
  constructor(startWorker: () => Worker = startPasswordWorker) {
    this.#threads = Array.from({ length: maxConcurrentHashes }, () => new HashThread(startWorker));
  }

  /** @returns the text to store */
  async hash(password: string): Promise<string> {
    return String(await this.#run({ kind: 'hash', password }));
  }

  /** Whether the password matches the stored text. */
  async verify(password: string, hash: string): Promise<PasswordCheck> {
    const value = await this.#run({ kind: 'verify', password, hash });
    return typeof value === 'object' ? value : { matches: false };
  }

  /** Whether the password is on the list of common passwords. */
  async isCommon(password: string): Promise<boolean> {
    return (await this.#run({ kind: 'isCommon', password })) === true;
  }

  /** Ends the workers permanently. Their unfinished tasks fail. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  async #run(task: PasswordTask): Promise<PasswordValue> {
    if (this.#closed) throw new Error('cannot hash a password: the process is stopping');
    const [first, ...others] = this.#threads;
    if (first === undefined) throw new Error('there is no thread for hashing');
    return others.reduce((best, thread) => (thread.pending < best.pending ? thread : best), first).run(task);
  }
}

interface PendingTask {
  resolve: (value: PasswordValue) => void;
  reject: (error: unknown) => void;
}

interface RunningWorker {
  worker: Worker;
  /** Tasks in the order in which the worker runs them. */
  pending: PendingTask[];
}

/** A worker that runs one task at a time. If it exits, the next task starts a new one. */
class HashThread {
  readonly #startWorker: () => Worker;
  #current: RunningWorker | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(startWorker: () => Worker) {
    this.#startWorker = startWorker;
  }

  get pending(): number {
    return this.#current?.pending.length ?? 0;
  }

  run(task: PasswordTask): Promise<PasswordValue> {
    clearTimeout(this.#idle);
    this.#current ??= this.#start();
    const { worker, pending } = this.#current;
    // Only a busy worker keeps the process alive.
    worker.ref();
    return new Promise((resolve, reject) => {
      pending.push({ resolve, reject });
      worker.postMessage(task);
    });
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const ending = this.#current;
    this.#current = undefined;
    await ending?.worker.terminate();
  }

  #start(): RunningWorker {
    const running: RunningWorker = { worker: this.#startWorker(), pending: [] };
    const { worker, pending } = running;
    let cause: unknown;
    worker.on('message', (result: PasswordResult) => {
      const task = pending.shift();
      if ('value' in result) task?.resolve(result.value);
      else task?.reject(result.error);
      if (pending.length === 0) this.#rest(running);
    });
    worker.on('error', (error) => {
      cause = error;
    });
    worker.on('exit', (code) => {
      if (this.#current === running) this.#current = undefined;
      const error = new Error(`the worker that hashes passwords ended with code ${code}`, { cause });
      for (const { reject } of pending.splice(0)) reject(error);
    });
    return running;
  }

  #rest(running: RunningWorker): void {
    running.worker.unref();
    if (this.#current === running) this.#idle = setTimeout(() => void this.close(), idleTime).unref();
  }
}

/**
 * Starts a worker without the environment, which contains secrets, and with a small heap, because scrypt allocates its
 * memory outside of the heap.
 */
function startPasswordWorker(): Worker {
  return new Worker(passwordWorkerUrl, {
    name: 'password hashing',
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
  });
}
