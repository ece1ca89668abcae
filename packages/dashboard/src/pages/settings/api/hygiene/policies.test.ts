import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDays } from './policies.ts';

test('a number of days is parsed leniently, and an invalid one is reported', () => {
  for (const [text, days] of [
    ['', null],
    ['  ', null],
    [' 5 ', 5],
    ['090', 90],
    ['3650', 3650],
  ] as const)
    assert.deepEqual(parseDays(text), { days }, text);
  for (const text of ['1e2', '5.5', '-1', '+5', '1,000', '1.000', '0x10', '5 days', '٥'])
    assert.match(parseDays(text).problem ?? '', /^Use digits only/, text);
  for (const text of ['0', '3651', '99999999999999999999'])
    assert.match(parseDays(text).problem ?? '', /^Must be between 1 and 3,650/, text);
});
