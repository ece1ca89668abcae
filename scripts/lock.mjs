// Prevents two starts at the same time, such as `npm start` and `npm test` in a fresh clone, from installing or
// building into the same folder at once, where each would delete what the other has just written.

import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

const pollMilliseconds = 200;
/** Longer than any install takes; after that, a person has to check. */
const timeoutMilliseconds = 15 * 60 * 1000;
/** After this time, a lock without a process id is abandoned; until then its writer may be between two system calls. */
const emptyMilliseconds = 5000;
/** EX_TEMPFAIL of sysexits.h */
const tryAgain = 75;

/**
 * Waits until no other process holds the lock, and takes it.
 * @param {string} file a file that exists only while a process holds the lock
 * @returns {Promise<() => void>} releases the lock; so does the end of the process
 */
export async function holdLock(file) {
  const deadline = Date.now() + timeoutMilliseconds;
  let reported = false;
  while (!take(file)) {
    if (isAbandoned(file)) {
      rmSync(file, { force: true });
      continue;
    }
    if (!reported) console.error('Waiting for another install or build in this directory...');
    reported = true;
    if (Date.now() > deadline) {
      console.error(
        `The other install or build has not finished. If none is running, remove ${file} and try again.`,
      );
      process.exit(tryAgain);
    }
    await wait(pollMilliseconds);
  }
  const release = () => rmSync(file, { force: true });
  process.on('exit', release);
  return () => {
    process.off('exit', release);
    release();
  };
}

function take(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Whether the process that took the lock has ended, or ran in an earlier start of a container (same process id). */
function isAbandoned(file) {
  try {
    const text = readFileSync(file, 'utf8');
    if (text === '') return Date.now() - statSync(file).mtimeMs > emptyMilliseconds;
    if (text === String(process.pid)) return true;
    process.kill(Number(text), 0);
    return false;
  } catch (error) {
    return error.code !== 'EPERM' && error.code !== 'ENOENT';
  }
}
