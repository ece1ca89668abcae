/** Rankings of lists: what they count, and how long they stay the same. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { msPerHour } from '@soku/contract/instant';
import { openWithSecrets } from '../../../../test/support/stored-secrets.ts';
import { newWorld, startRecorder } from '../../../../test/support/usage-recorder.ts';
import { KeyStore } from '../keys/store.ts';
import { DayRankings, dayStartOf } from './day-ranking.ts';

const { database, secrets, close } = await openWithSecrets(650, 1);
after(close);

test('a ranking counts all requests of 24 hours, and later pages get the same one', async () => {
  const world = newWorld();
  const { cache, recorder, reader } = await startRecorder(database, world, 650);
  const use = (number: number, times: number, at: number, refused = false) => {
    for (let i = 0; i < times; i++) secrets[number]?.use(cache, at, { refused });
  };
  const before = world.now - 24 * msPerHour;
  assert.equal(dayStartOf(world.now), before + msPerHour);
  use(5, 100, before);
  use(6, 100, before);
  await recorder.flush();
  for (let i = 0; i < 640; i++) if (i !== 5) use(i, 1, world.now - 3 * msPerHour);
  await recorder.flush();
  use(300, 3, world.now, false);
  use(7, 4, world.now, true);
  await recorder.flush();
  // Not written yet.
  use(8, 2, world.now);
  const store = new KeyStore(database.kysely);
  const rankings = new DayRankings(reader, store.usedSince.bind(store), () => world.now, 300);
  const first = await rankings.current('ws_1');
  const countOf = (number: number) => first.counts.get(`key_${number}`);
  assert.deepEqual([5, 6, 300, 7, 8, 639, 640].map(countOf), [undefined, 1, 4, 1, 3, 1, undefined]);
  assert.equal(first.counts.size, 639);

  world.now += 1;
  use(6, 50, world.now);
  assert.equal(await rankings.at('ws_1', first.at), first);
  const second = await rankings.current('ws_1');
  assert.equal(second.counts.get('key_6'), 51);
  assert.equal(await rankings.at('ws_1', first.at), first);
  // Another server has not kept it.
  const other = new DayRankings(reader, store.usedSince.bind(store), () => world.now, 300);
  assert.equal((await other.at('ws_1', first.at)).counts.get('key_6'), 51);
  assert.equal((await rankings.current('ws_2')).counts.size, 0);
});

test('a key that is first used after a ranking was counted is in it, without requests', async () => {
  const world = newWorld();
  world.now += 100 * msPerHour;
  const { cache, recorder, reader } = await startRecorder(database, world, 650);
  secrets[1]?.use(cache, world.now);
  await recorder.flush();
  const store = new KeyStore(database.kysely);
  const rankings = new DayRankings(reader, store.usedSince.bind(store), () => world.now, 300, 0);
  const first = await rankings.current('ws_1');
  assert.deepEqual([...first.counts], [['key_1', 1]]);
  secrets[2]?.use(cache, world.now);
  await recorder.flush();
  const second = await rankings.current('ws_1');
  assert.equal(second.at, first.at);
  assert.deepEqual(
    [...second.counts],
    [
      ['key_1', 1],
      ['key_2', 0],
    ],
  );
  assert.equal(await rankings.at('ws_1', first.at), second);
});
