import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { pino } from 'pino';
import { type Ending, endProcess } from './stop.ts';

/** Ends a process that writes like this. @returns its exit code, and what it logged as an error */
async function endWriting(write: Ending['write'], bounds: { stalled: number; write: number }) {
  const errors: string[] = [];
  const log = pino({ level: 'error' }, { write: (line: string) => errors.push(JSON.parse(line).msg) });
  const nothing = async () => undefined;
  const ending = {
    hasOthers: () => false,
    drain: () => undefined,
    closeServers: nothing,
    write,
    leave: nothing,
    closeDatabase: nothing,
    isRemote: true,
    log,
  };
  const code = await endProcess('SIGTERM', ending, { leave: 1000, close: 1000, ...bounds });
  return { code, errors };
}

test('what takes long is written to its end as long as it gets on', async () => {
  const write: Ending['write'] = async (progressed) => {
    const begun = performance.now();
    while (performance.now() - begun < 1500) {
      await wait(10);
      progressed();
    }
    return true;
  };
  assert.deepEqual(await endWriting(write, { stalled: 500, write: 60_000 }), { code: 0, errors: [] });
});

const never = () => new Promise<boolean>(() => undefined);
const endless: Ending['write'] = (progressed) => {
  setInterval(progressed, 10).unref();
  return never();
};
const givenUp: [
  what: string,
  write: Ending['write'],
  bounds: { stalled: number; write: number },
  says: RegExp,
][] = [
  [
    'does not get on',
    never,
    { stalled: 100, write: 60_000 },
    /lost.*: the database has taken nothing for 0.1 s$/,
  ],
  [
    'never ends',
    endless,
    { stalled: 60_000, write: 100 },
    /lost.*: it was more than the database takes in 0.1 s$/,
  ],
  ['fails', async () => false, { stalled: 60_000, write: 60_000 }, /lost.*: they could not be written$/],
];

for (const [what, write, bounds, says] of givenUp) {
  test(`a write that ${what} is given up with 69, and the log says why`, async () => {
    const { code, errors } = await endWriting(write, bounds);
    assert.equal(code, 69);
    assert.equal(errors.length, 1);
    assert.match(errors[0] ?? '', says);
  });
}
