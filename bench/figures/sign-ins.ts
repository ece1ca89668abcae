import { setTimeout as wait } from 'node:timers/promises';
import { call, type Person } from '../../test/support/person.ts';
import { startSoku } from '../contestants.ts';
import { type Figure, p99, type Sizes } from '../figure.ts';
import { everyCore, pin } from '../machine.ts';

/** Sign-ins that are open at any time, each from an address of its own. */
const signIns = 64;

/** ms after which a rejected sign-in comes again. Retry-After asks for more, but guessers are not polite. */
const impatience = 1000;

/** ms before each revoke in which nothing is asked: what was asked before is over. */
const quiet = 20;

/** What sign-ins, each of which hashes a password, cost a revoke. */
export async function besideSignIns({ rounds, revokes }: Sizes): Promise<Figure[]> {
  await using soku = await startSoku(undefined, { TRUST_PROXY: '127.0.0.1' });
  for (const pid of soku.pids) pin(pid, everyCore);
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
      name: `revoke beside ${signIns} sign-ins, p99`,
      values: beside.map((value, round) => value / (alone[round] ?? Number.NaN)),
      unit: 'times that without sign-ins',
      goal: { below: 3 },
      how: `${revokes} revokes a round by a person with a session, one after the other, on SQLite. ${signIns} sign-ins with a wrong password are open at any time, from ${signIns} addresses behind a trusted proxy; one that is rejected comes again after ${impatience} ms.`,
      sides: [
        { name: 'beside sign-ins, p99', values: beside, unit: 'ms' },
        { name: 'without, p99', values: alone, unit: 'ms' },
      ],
    },
  ];
}

/** @returns ms of each revoke, as its client sees it */
async function timeRevokes(url: string, person: Person, count: number): Promise<number[]> {
  const took: number[] = [];
  for (let i = 0; i < count; i++) {
    const { apiKey, key } = await person.makeKey({ name: 'Bench' });
    await wait(quiet);
    const began = performance.now();
    await person.revoke(key.id);
    took.push(performance.now() - began);
    const { status } = await call(`${url}/v1/verify`, { headers: { authorization: `Bearer ${apiKey}` } });
    if (status !== 401) throw new Error(`a revoked key was answered ${status}`);
  }
  return took;
}

/** Keeps sign-ins open until it is disposed of. */
function flood(url: string, round: number): AsyncDisposable {
  const over = new AbortController();
  const { signal } = over;
  const loops = Array.from({ length: signIns }, async (_, lane) => {
    // Spread over the time in which they come again, as independent clients are.
    await wait((lane / signIns) * impatience);
    // Another address each time, so that no limit of one address ends it.
    for (let i = 0; ; i++) {
      const answer = await call(`${url}/api/auth/sign-in/email`, {
        method: 'POST',
        headers: { 'x-forwarded-for': `10.${round}.${lane}.${i % 256}` },
        body: { email: `guess${lane}@example.com`, password: 'wrong password' },
        signal,
      });
      if (![401, 503].includes(answer.status)) throw new Error(`a sign-in was answered ${answer.status}`);
      if (answer.status === 503) await wait(impatience, undefined, { signal });
    }
  });
  // A loop ends by the signal only; one that fails before makes the figure worthless.
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
