// Prevents two starts at the same time, such as `npm start` and `npm test` in a fresh clone, from installing or
// building into the same folder at once, where each would delete what the other has just written.

import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

const pollMilliseconds = 200;
/** Longer than any install takes; then a person has to look. */
const patienceMilliseconds = 15 * 60 * 1000;
/** A lock without a number in it: its writer is between two system calls, or died there. */
const emptyMilliseconds = 5000;
/** EX_TEMPFAIL of sysexits.h */
const tryAgain = 75;

/**
 * Waits until no other process holds the lock, and takes it.
 * @param {string} file a file that exists only while somebody holds the lock
 * @returns {Promise<() => void>} what gives it back; the end of the process does so, too
 */
export async function holdLock(file) {
  const deadline = Date.now() + patienceMilliseconds;
  let told = false;
  while (!take(file)) {
    if (isAbandoned(file)) {
      rmSync(file, { force: true });
      continue;
    }
    if (!told) console.error('Waiting for another process that installs or builds here...');
    told = true;
    if (Date.now() > deadline) {
      console.error(`It is not done yet. If none is at work, remove ${file} and try again.`);
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

/** Whether whoever took the lock is gone: killed, or (as it has our number) of an earlier start of a container. */
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
