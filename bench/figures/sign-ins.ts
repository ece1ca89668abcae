import { setTimeout as wait } from 'node:timers/promises';
import { call, type Person } from '../../test/support/person.ts';
import { type Figure, p99, type Sizes } from '../figure.ts';
import { allCores, pinToCores } from '../machine.ts';
import { startSoku } from '../measured-programs.ts';

/** Sign-ins that are open at all times, each from its own address. */
const signIns = 64;

/** ms after which a rejected sign-in is retried. Retry-After demands more, but an attacker ignores it. */
const impatience = 1000;

/** ms without requests before each revoke, so that earlier work has finished. */
const quiet = 20;

/** The cost of concurrent sign-ins, each of which hashes a password, for a revoke. */
export async function measureRevokeDuringSignIns({ rounds, revokes }: Sizes): Promise<Figure[]> {
  await using soku = await startSoku(undefined, { TRUST_PROXY: '127.0.0.1' });
  for (const pid of soku.pids) pinToCores(pid, allCores);
  const person = await soku.server.signIn();
  const alone: number[] = [];
  const beside: number[] = [];
  await timeRevokes(soku.url, person, revokes);
  for (let round = 0; round < rounds; round++) {
    alone.push(p99(await timeRevokes(soku.url, person, revokes)));
    await using _ = flood(soku.url, round);
    await wait(1000);
    beside.push(p99(await timeRevokes(soku.url, person, revokes)));
  }
  return [
    {
      name: `revoke during ${signIns} concurrent sign-ins, p99`,
      values: beside.map((value, round) => value / (alone[round] ?? Number.NaN)),
      unit: 'times that without sign-ins',
      goal: { below: 3 },
      how: `${revokes} revokes per round by a person with a session, one after the other, on SQLite. ${signIns} sign-ins with a wrong password are open at all times, from ${signIns} addresses behind a trusted proxy; a rejected one is retried after ${impatience} ms.`,
      sides: [
        { name: 'during sign-ins, p99', values: beside, unit: 'ms' },
        { name: 'without, p99', values: alone, unit: 'ms' },
      ],
    },
  ];
}

/** @returns the ms of each revoke, as its client sees it */
async function timeRevokes(url: string, person: Person, count: number): Promise<number[]> {
  const took: number[] = [];
  for (let i = 0; i < count; i++) {
    const { apiKey, key } = await person.createKey({ name: 'Bench' });
    await wait(quiet);
    const began = performance.now();
    await person.revoke(key.id);
    took.push(performance.now() - began);
    const { status } = await call(`${url}/v1/verify`, { headers: { authorization: `Bearer ${apiKey}` } });
    if (status !== 401) throw new Error(`a revoked key returned ${status}`);
  }
  return took;
}

/** Keeps sign-ins open until it is disposed. */
function flood(url: string, round: number): AsyncDisposable {
  const over = new AbortController();
  const { signal } = over;
  const loops = Array.from({ length: signIns }, async (_, lane) => {
    // Spread over the retry interval, like independent clients.
    await wait((lane / signIns) * impatience);
    // Another address each time, so that the limit of an address never stops it.
    for (let i = 0; ; i++) {
      const response = await call(`${url}/api/auth/sign-in/email`, {
        method: 'POST',
        headers: { 'x-forwarded-for': `10.${round}.${lane}.${i % 256}` },
        body: { email: `guess${lane}@example.com`, password: 'wrong password' },
        signal,
      });
      if (![401, 503].includes(response.status)) throw new Error(`a sign-in returned ${response.status}`);
      if (response.status === 503) await wait(impatience, undefined, { signal });
    }
  });
  // Only the signal ends a loop; a loop that fails earlier invalidates the figure.
  const ended = Promise.allSettled(loops);
  const failed = Promise.race(loops).catch((error: unknown) => (signal.aborted ? undefined : error));
  return {
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await ended;
      const error = await failed;
      if (error !== undefined) throw error;
    },
  };
}
