/**
 * The thread that hashes passwords. The asynchronous scrypt of node:crypto would occupy libuv's four threads, which the
 * revocation journal and session cookie checks also need.
 */
import { parentPort } from 'node:worker_threads';
import { hashPassword, type PasswordCheck, verifyPassword } from './password-hash.ts';

export type PasswordTask =
  | { kind: 'hash'; password: string }
  | { kind: 'verify'; password: string; hash: string }
  | { kind: 'isCommon'; password: string };

/** The worker's result for each task, in the order of the tasks. */
export type PasswordResult = { value: PasswordValue } | { error: unknown };
export type PasswordValue = string | boolean | PasswordCheck;

let last = Promise.resolve();

parentPort?.on('message', (task: PasswordTask) => {
  last = last.then(async () => {
    const result: PasswordResult = await run(task).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    parentPort?.postMessage(result);
  });
});

async function run(task: PasswordTask): Promise<PasswordValue> {
  switch (task.kind) {
    case 'hash':
      return hashPassword(task.password);
    case 'verify':
      return verifyPassword(task.password, task.hash);
    case 'isCommon':
      return isCommon(task.password);
  }
}

/** 49,000 entries in lower case. Loaded in the worker, so that the memory is freed when it ends. */
async function isCommon(password: string): Promise<boolean> {
  const { dictionary } = await import('@zxcvbn-ts/language-common');
  return dictionary['passwords-common'].includes(password.normalize('NFKC').toLowerCase());
}
