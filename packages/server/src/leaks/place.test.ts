import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateKey } from '@soku/key';
import { leakLocation } from './place.ts';

const commit = '12345600b9cbe38a219f39a9941c9319b600c002';
/** A token that could be the hash of a commit. */
const hashLike = 'f'.repeat(40);
const urlOf = (url: string | null) =>
  leakLocation({ token: 'acme-1', type: 'x', url, source: 'commit' }, ['acme-2', 'acme-1', hashLike]).url;

test('the URL of a leak is stored without what could be a secret', () => {
  const plain = `https://github.com/octocat/Hello-World/blob/${commit}/foo/bar.txt`;
  const token = generateKey();
  for (const [given, expected] of [
    [plain, plain],
    [`${plain}?token=abc#L3`, plain],
    ['https://ada:password@github.com/a', 'https://github.com/a'],
    [`https://github.com/a/${token}.txt`, 'https://github.com/a/[redacted].txt'],
    [`https://github.com/a/${encodeURIComponent('é\n<')}`, 'https://github.com/a/%C3%A9%0A%3C'],
    ['https://github.com/a/acme-1/b', null],
    ['https://github.com/a/%61cme-1/b', null],
    // A token of another match in the same report.
    ['https://github.com/a/acme-2/b', null],
    ['https://github.com/a/%2561cme-2/b', null],
    [`https://github.com/a/blob/${hashLike}/b`, null],
    [`https://${'x'.repeat(40)}.example/a`, null],
    [`https://github.com/${'a/'.repeat(300)}`, null],
    ['javascript:alert(1)', null],
    ['', null],
    ['github.com/a', null],
  ] as const) {
    assert.equal(urlOf(given), expected, given);
  }
  assert.equal(urlOf(null), null);
});

test('the source is a value that GitHub documents, or unknown', () => {
  const sourceOf = (source: string | null) => leakLocation({ token: 'x', type: 'x', source }, ['x']).source;
  assert.deepEqual(['commit', 'Gist_content', 'a b', '<b>', 'x'.repeat(41), '', null].map(sourceOf), [
    'commit',
    'gist_content',
    'unknown',
    'unknown',
    'unknown',
    'unknown',
    'unknown',
  ]);
  assert.deepEqual(leakLocation(undefined, []), { url: null, source: 'unknown' });
});
