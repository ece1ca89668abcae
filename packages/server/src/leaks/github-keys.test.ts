/** When the public keys of GitHub are fetched, against a server in the place of GitHub's. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { newSigner, startKeyList } from '../../../../test/support/github.ts';
import { GithubKeys } from './github-keys.ts';

async function setUp(context: TestContext) {
  const signer = newSigner();
  const { list, url, stop } = await startKeyList([signer]);
  context.after(stop);
  const clock = { ms: 1000 };
  const failures: string[] = [];
  const keys = new GithubKeys({
    url,
    monotonic: () => clock.ms,
    failed: (error) => failures.push(String(error)),
  });
  /** 'found', or why it was not. */
  const find = async (id: string) => {
    const key = await keys.find(id);
    return typeof key === 'string' ? key : 'found';
  };
  return { signer, list, clock, failures, keys, find };
}

test('keys are cached, and an unknown one is fetched at most every five minutes', async (context) => {
  const { signer, list, clock, keys, find } = await setUp(context);
  const ids = [signer.id, 'a', signer.id, 'b'];
  assert.deepEqual(await Promise.all(ids.map(find)), ['found', 'unknown', 'found', 'unknown']);
  assert.equal(list.fetches, 1, 'concurrent calls share a fetch');
  const added = newSigner();
  list.signers = [signer, added];
  clock.ms += 299_999;
  // No fetch since these reports, and GitHub may have added a key.
  for (let i = 0; i < 100; i++) assert.equal(await find(`unknown ${i}`), 'unavailable');
  assert.equal(await find(added.id), 'unavailable');
  assert.deepEqual([list.fetches, keys.retryAfter()], [1, 1]);
  clock.ms += 1;
  assert.equal(await find(added.id), 'found');
  clock.ms += 1;
  for (let i = 0; i < 100; i++) assert.equal(await find(`unknown ${i}`), 'unavailable');
  assert.deepEqual([await find(signer.id), list.fetches, keys.retryAfter()], ['found', 2, 300]);
});

test('a fetch that began before a report does not show that its key is unknown', async (context) => {
  const { list, clock, find } = await setUp(context);
  const response = Promise.withResolvers<void>();
  list.held = response.promise;
  const first = find('unknown');
  clock.ms += 1;
  const second = find('unknown');
  response.resolve();
  assert.deepEqual(await Promise.all([first, second]), ['unknown', 'unavailable']);
  assert.equal(list.fetches, 1);
});

test('a withdrawn key is evicted within an hour', async (context) => {
  const { signer, list, clock, find } = await setUp(context);
  assert.equal(await find(signer.id), 'found');
  list.signers = [newSigner()];
  clock.ms += 3_599_999;
  assert.deepEqual([await find(signer.id), list.fetches], ['found', 1]);
  clock.ms += 1;
  assert.deepEqual([await find(signer.id), list.fetches], ['unknown', 2]);
});

test('while the list cannot be fetched, known keys stay and others are unavailable', async (context) => {
  const { signer, list, clock, failures, keys, find } = await setUp(context);
  const broken: [number, string | undefined, RegExp][] = [
    [503, undefined, /status 503/],
    [200, 'no JSON', /JSON/],
    [200, '{"public_keys": {}}', /public_keys/],
    [200, '{"public_keys": []}', /none is/],
    [200, '{"public_keys": [{"key_identifier": "x", "key": "no key"}]}', /none is/],
    [200, ' '.repeat(200_000), /more than 100000 bytes/],
    [302, undefined, /./],
  ];
  for (const [status, text] of broken) {
    Object.assign(list, { status, text });
    assert.equal(await find(signer.id), 'unavailable');
    clock.ms += 59_999;
    assert.equal(await find(signer.id), 'unavailable', 'without another fetch');
    assert.equal(keys.retryAfter(), 1);
    clock.ms += 1;
  }
  assert.equal(list.fetches, broken.length);
  assert.equal(failures.length, broken.length);
  for (const [i, [, , message]] of broken.entries()) assert.match(failures[i] ?? '', message);
  Object.assign(list, { status: 200, text: undefined });
  assert.equal(await find(signer.id), 'found');
  list.status = 500;
  clock.ms += 3_600_000;
  assert.deepEqual([await find(signer.id), await find('x')], ['found', 'unavailable']);
});

test('keys on other curves and invalid keys are ignored', async (context) => {
  const { signer, list, find } = await setUp(context);
  const [other, broken] = [newSigner('secp384r1'), newSigner()];
  broken.entry.key = 'no key';
  list.signers = [other, broken, signer];
  const ids = [other.id, broken.id, signer.id];
  assert.deepEqual(await Promise.all(ids.map(find)), ['unknown', 'unknown', 'found']);
});
