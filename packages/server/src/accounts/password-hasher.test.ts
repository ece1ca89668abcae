import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { hashPassword as hashByLibrary } from 'better-auth/crypto';
import { maxConcurrentHashes, PasswordHasher } from './password-hasher.ts';

const hasher = new PasswordHasher();
after(() => hasher.close());
/** Each hash takes half a second. */
const secretHash = await hasher.hash('secret');

test('a password verifies against its own hash, in any Unicode normalization form', async () => {
  const hash = await hasher.hash('pässword of Ada');
  assert.notEqual(hash.split('$')[3], secretHash.split('$')[3], 'each hash has its own salt');
  assert.match(hash, /^\$scrypt\$ln=15,r=8,p=3\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  assert.deepEqual(await hasher.verify('pässword of Ada'.normalize('NFD'), hash), { matches: true });
  assert.deepEqual(await hasher.verify('password of Ada', hash), { matches: false });
});

test('a malformed hash fails only its own verification', async () => {
  await assert.rejects(hasher.verify('x', 'no hash'), /malformed/);
  assert.deepEqual(await hasher.verify('secret', secretHash), { matches: true });
});

test('a hash of the auth library verifies, and is upgraded to current parameters', async () => {
  const former = await hashByLibrary('correct horse battery');
  assert.deepEqual(await hasher.verify('another one', former), { matches: false });
  const { matches, upgraded = '' } = await hasher.verify('correct horse battery', former);
  assert.equal(matches, true);
  assert.match(upgraded, /^\$scrypt\$ln=15,r=8,p=3\$/);
  assert.deepEqual(await hasher.verify('correct horse battery', upgraded), { matches: true });
});

test('common passwords are recognized in any case and width', async () => {
  for (const common of ['password', 'PassWord', 'ｐａｓｓｗｏｒｄ', 'iloveyou', '1qaz2wsx', 'trustno1']) {
    assert.equal(await hasher.isCommon(common), true, common);
  }
  assert.equal(await hasher.isCommon('correct horse battery'), false);
});

test('when a worker exits, its waiting tasks fail with the cause, and the next task starts a new worker', async () => {
  let started = 0;
  const dying = new PasswordHasher(() => {
    started += 1;
    const code =
      "require('node:worker_threads').parentPort.on('message', () => { throw new Error('out of memory') })";
    return started <= maxConcurrentHashes
      ? new Worker(code, { eval: true })
      : new Worker(new URL('./password-worker.ts', import.meta.url));
  });
  const lost = await Promise.allSettled(
    Array.from({ length: 2 * maxConcurrentHashes }, () => dying.hash('lost')),
  );
  for (const outcome of lost) {
    assert.ok(outcome.status === 'rejected' && outcome.reason instanceof Error);
    assert.match(outcome.reason.message, /worker that hashes passwords ended/);
    assert.match(String(outcome.reason.cause), /out of memory/);
  }
  assert.deepEqual(await dying.verify('secret', secretHash), { matches: true });
  await dying.close();
});

test('closing fails unfinished tasks and leaves no worker running', async () => {
  const ending = new PasswordHasher();
  const lost = assert.rejects(ending.hash('lost'), /worker that hashes passwords ended/);
  await ending.close();
  await lost;
  await assert.rejects(ending.hash('late'), /stopping/);
});
