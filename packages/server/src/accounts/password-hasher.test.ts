import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { hashPassword as hashByLibrary } from 'better-auth/crypto';
import { hashesAtOnce, PasswordHasher } from './password-hasher.ts';

const hasher = new PasswordHasher();
after(() => hasher.close());
/** Each hash takes half a second. */
const secretHash = await hasher.hash('secret');

test('a password verifies against its own hash, in any composition of its characters', async () => {
  const hash = await hasher.hash('pässword of Ada');
  assert.notEqual(hash.split('$')[3], secretHash.split('$')[3], 'each hash has a salt of its own');
  assert.match(hash, /^\$scrypt\$ln=15,r=8,p=3\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  assert.deepEqual(await hasher.verify('pässword of Ada'.normalize('NFD'), hash), { matches: true });
  assert.deepEqual(await hasher.verify('password of Ada', hash), { matches: false });
});

test('a hash that cannot be read fails by itself, and the next one is verified', async () => {
  await assert.rejects(hasher.verify('x', 'no hash'), /malformed/);
  assert.deepEqual(await hasher.verify('secret', secretHash), { matches: true });
});

test('a hash of the auth library verifies, and comes back with current parameters', async () => {
  const former = await hashByLibrary('correct horse battery');
  assert.deepEqual(await hasher.verify('another one', former), { matches: false });
  const { matches, upgraded = '' } = await hasher.verify('correct horse battery', former);
  assert.equal(matches, true);
  assert.match(upgraded, /^\$scrypt\$ln=15,r=8,p=3\$/);
  assert.deepEqual(await hasher.verify('correct horse battery', upgraded), { matches: true });
});

test('common passwords are known in any case and width, and others are not', async () => {
  for (const common of ['password', 'PassWord', 'ｐａｓｓｗｏｒｄ', 'iloveyou', '1qaz2wsx', 'trustno1']) {
    assert.equal(await hasher.isCommon(common), true, common);
  }
  assert.equal(await hasher.isCommon('correct horse battery'), false);
});

test('when a worker dies, what waits for it fails with the reason, and the next password has another worker', async () => {
  let started = 0;
  const dying = new PasswordHasher(() => {
    started += 1;
    const code =
      "require('node:worker_threads').parentPort.on('message', () => { throw new Error('out of memory') })";
    return started <= hashesAtOnce
      ? new Worker(code, { eval: true })
      : new Worker(new URL('./password-worker.ts', import.meta.url));
  });
  const lost = await Promise.allSettled(Array.from({ length: 2 * hashesAtOnce }, () => dying.hash('lost')));
  for (const outcome of lost) {
    assert.ok(outcome.status === 'rejected' && outcome.reason instanceof Error);
    assert.match(outcome.reason.message, /worker that hashes passwords ended/);
    assert.match(String(outcome.reason.cause), /out of memory/);
  }
  assert.deepEqual(await dying.verify('secret', secretHash), { matches: true });
  await dying.close();
});

test('what is under way at the end fails, and nothing is left', async () => {
  const ending = new PasswordHasher();
  const lost = assert.rejects(ending.hash('lost'), /worker that hashes passwords ended/);
  await ending.close();
  await lost;
  await assert.rejects(ending.hash('late'), /stopping/);
});
