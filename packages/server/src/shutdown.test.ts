import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { pino } from 'pino';
import { type ShutdownSteps, shutDown } from './shutdown.ts';

/** Shuts down a process with the given write step. @returns its exit code and the errors that it logged */
async function endWriting(write: ShutdownSteps['write'], bounds: { stalled: number; write: number }) {
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
  const code = await shutDown('SIGTERM', ending, { leave: 1000, close: 1000, ...bounds });
  return { code, errors };
}

test('a slow write completes as long as it makes progress', async () => {
  const write: ShutdownSteps['write'] = async (progressed) => {
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
const endless: ShutdownSteps['write'] = (progressed) => {
  setInterval(progressed, 10).unref();
  return never();
};
const givenUp: [
  what: string,
  write: ShutdownSteps['write'],
  bounds: { stalled: number; write: number },
  says: RegExp,
][] = [
  [
    'makes no progress',
    never,
    { stalled: 100, write: 60_000 },
    /lost.*: the database accepted no write for 0.1 s$/,
  ],
  [
    'never ends',
    endless,
    { stalled: 60_000, write: 100 },
    /lost.*: the database needed more than 0.1 s to write them$/,
  ],
  ['fails', async () => false, { stalled: 60_000, write: 60_000 }, /lost.*: writing them failed$/],
];

for (const [what, write, bounds, says] of givenUp) {
  test(`a write that ${what} is abandoned with exit code 69, and the log states why`, async () => {
    const { code, errors } = await endWriting(write, bounds);
    assert.equal(code, 69);
    assert.equal(errors.length, 1);
    assert.match(errors[0] ?? '', says);
  });
}

for (const isRemote of [true, false]) {
  test(`counts are written after the last request, and before the ${isRemote ? 'remote ' : ''}database is closed`, async () => {
    const order: string[] = [];
    const step = (name: string) => async () => {
      await wait(0);
      order.push(name);
    };
    const write = step('write');
    const ending = {
      hasOthers: () => false,
      drain: () => order.push('drain'),
      closeServers: step('close servers'),
      write: async () => {
        await write();
        return true;
      },
      leave: step('leave'),
      closeDatabase: step('close database'),
      isRemote,
      log: pino({ level: 'silent' }),
    };
    assert.equal(await shutDown('SIGTERM', ending), 0);
    assert.deepEqual(order, ['drain', 'close servers', 'write', 'leave', 'close database']);
  });
}
