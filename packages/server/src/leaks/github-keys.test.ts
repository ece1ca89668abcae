/** When the public keys of GitHub are fetched, against a server in the place of GitHub's. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { newSigner, startKeyList } from '../../../../test/support/github.ts';
import { GithubKeys } from './github-keys.ts';

async function scene(context: TestContext) {
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
  return { signer, list, clock, failures, find };
}

test('keys are cached, and an unknown one is fetched at most once a minute', async (context) => {
  const { signer, list, clock, find } = await scene(context);
  const ids = [signer.id, 'a', signer.id, 'b'];
  assert.deepEqual(await Promise.all(ids.map(find)), ['found', 'unknown', 'found', 'unknown']);
  assert.equal(list.fetches, 1, 'concurrent calls share a fetch');
  const added = newSigner();
  list.signers = [signer, added];
  clock.ms += 59_999;
  for (let i = 0; i < 100; i++) assert.equal(await find(`unknown ${i}`), 'unknown');
  assert.equal(await find(added.id), 'unknown');
  assert.equal(list.fetches, 1);
  clock.ms += 1;
  assert.equal(await find(added.id), 'found');
  for (let i = 0; i < 100; i++) assert.equal(await find(`unknown ${i}`), 'unknown');
  assert.deepEqual([await find(signer.id), list.fetches], ['found', 2]);
});

test('a withdrawn key is forgotten within an hour', async (context) => {
  const { signer, list, clock, find } = await scene(context);
  assert.equal(await find(signer.id), 'found');
  list.signers = [];
  clock.ms += 3_599_999;
  assert.deepEqual([await find(signer.id), list.fetches], ['found', 1]);
  clock.ms += 1;
  assert.deepEqual([await find(signer.id), list.fetches], ['unknown', 2]);
});

test('while the list cannot be fetched, known keys stay and others are unavailable', async (context) => {
  const { signer, list, clock, failures, find } = await scene(context);
  const broken: [number, string | undefined, RegExp][] = [
    [503, undefined, /status 503/],
    [200, 'no JSON', /JSON/],
    [200, '{"public_keys": {}}', /public_keys/],
    [200, '{"public_keys": [{"key_identifier": "x", "key": "no key"}]}', /./],
    [200, ' '.repeat(200_000), /more than 100000 bytes/],
    [302, undefined, /./],
  ];
  for (const [status, text] of broken) {
    Object.assign(list, { status, text });
    assert.equal(await find(signer.id), 'unavailable');
    assert.equal(await find(signer.id), 'unavailable', 'without another fetch');
    clock.ms += 60_000;
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

test('keys on other curves are left out', async (context) => {
  const { signer, list, find } = await scene(context);
  const other = newSigner('secp384r1');
  list.signers = [other, signer];
  assert.deepEqual([await find(other.id), await find(signer.id)], ['unknown', 'found']);
});
