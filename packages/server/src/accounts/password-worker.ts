/**
 * The thread that hashes passwords. The asynchronous scrypt of node:crypto would occupy libuv's four threads, and the
 * journal of revoked keys and the check of session cookies would wait for them.
 */
import { parentPort } from 'node:worker_threads';
import { type PasswordTask, runPasswordTask } from './password-hash.ts';

/** What the worker posts back: tasks are answered in the order in which they came. */
export type PasswordResult = { value: string | boolean } | { error: unknown };

parentPort?.on('message', (task: PasswordTask) => parentPort?.postMessage(run(task)));

function run(task: PasswordTask): PasswordResult {
  try {
    return { value: runPasswordTask(task) };
  } catch (error) {
    return { error };
  }
}
