import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientLines } from './history-csv.ts';

const at = '2026-03-09T00:00:00.000Z';
const nothing = { accepted: 0, refused: 0, refusedBy: {} };

for (const [name, cell] of [
  ['curl/8.5.0', 'curl/8.5.0'],
  ['=HYPERLINK("http://evil","x")', `"'=HYPERLINK(""http://evil"",""x"")"`],
  ['+1', "'+1"],
  ['a;=1', `"a;'=1"`],
  ['a;b', '"a;b"'],
  ['@x', "'@x"],
  ['-1', "'-1"],
  [' =1', "' =1"],
  ['\t=1', `"'\t'=1"`],
  ['\r=1', `"'\r'=1"`],
  ['a\n=1', `"a\n'=1"`],
  ['\uff1d1', "'\uff1d1"],
  ['a,=1', '"a,=1"'],
  ['a-1', 'a-1'],
] as const) {
  test(`${name} is not a formula`, () => {
    const clients = {
      ...{ from: at, to: at, sampling: 16, otherAddresses: 0, otherPrograms: 0 },
      addresses: [],
      programs: [{ name, requests: 1 }],
    };
    const lines = clientLines({
      from: at,
      to: at,
      retentionDays: 90,
      by: 'day',
      periods: [],
      clients,
      ...nothing,
    });
    assert.ok([...lines].includes(`program,${cell},1\r\n`));
  });
}
