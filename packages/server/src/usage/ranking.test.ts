/** Rankings of more keys than one read returns, of stored and unwritten uses. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openWithSecrets } from '../../../../test/support/stored-secrets.ts';
import { newWorld, startRecorder } from '../../../../test/support/usage-recorder.ts';
import { KeyStore } from '../keys/store.ts';
import { hourOf } from './hours.ts';
import { KeyRanking } from './ranking.ts';

const { database, secrets, close } = await openWithSecrets(450, 1);
after(close);

test('the keys with the most requests of a range are first, however many keys there are', async () => {
  const world = newWorld();
  const { cache, recorder, reader } = await startRecorder(database, world, 450);
  const hour = hourOf(world.now);
  const use = (number: number, times: number, at: number, refused = false) => {
    for (let i = 0; i < times; i++) secrets[number]?.use(cache, at, { refused });
  };
  // Outside the range.
  use(5, 100, world.now - 3_600_000);
  for (let i = 0; i < 450; i++) use(i, 1, world.now);
  use(300, 3, world.now);
  use(7, 1, world.now, true);
  use(410, 5, world.now, true);
  await recorder.flush();
  use(300, 1, world.now + 3_600_000);
  use(20, 7, world.now + 1);
  use(7, 1, world.now + 1, true);
  use(8, 3, world.now + 1, true);
  const store = new KeyStore(database.kysely);
  const ranking = new KeyRanking(reader, store.usedSince.bind(store), 3);
  const { busiest, mostRefused } = await ranking.of('ws_1', hour, hour + 2);
  assert.deepEqual(busiest.slice(0, 2), ['key_20', 'key_300']);
  assert.equal(busiest.length, 3);
  assert.deepEqual(mostRefused, ['key_410', 'key_8', 'key_7']);
  assert.deepEqual(await ranking.of('ws_2', hour, hour + 2), { busiest: [], mostRefused: [] });
});
