import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publicUrlSchema } from './config-values.ts';

test('a public URL may have a path, and has no slash at its end', () => {
  for (const [text, url] of [
    ['https://Keys.Example.com:443/', 'https://keys.example.com'],
    ['https://Example.com/soku', 'https://example.com/soku'],
    ['https://example.com:443/tools/Soku_2.0~x-y/', 'https://example.com/tools/Soku_2.0~x-y'],
    [' http://[2001:db8::7]:3000/... ', 'http://[2001:db8::7]:3000/...'],
  ] as const)
    assert.equal(publicUrlSchema.parse(text), url);
});

for (const [text, problem] of [
  ['keys.example.com', /must be an http\(s\) URL/],
  ['ftp://keys.example.com', /must be an http\(s\) URL/],
  ['https://', /must be an http\(s\) URL/],
  ['https:keys.example.com', /must be an http\(s\) URL/],
  ['https://keys.example.com/soku?a=1', /must not have a query or a fragment/],
  ['https://keys.example.com/#a', /must not have a query or a fragment/],
  ['https://user:password@keys.example.com', /must not contain a user/],
  ['https://keys.example.com/soku/../x', /must have no path, or one such as \/soku/],
  ['https://keys.example.com/soku/.', /must have no path, or one such as/],
  ['https://keys.example.com/%2e%2e/x', /must have no path, or one such as/],
  ['https://keys.example.com//', /must have no path, or one such as/],
  ['https://keys.example.com//soku', /must have no path, or one such as/],
  ['https://keys.example.com/soku//', /must have no path, or one such as/],
  ['https://keys.example.com/so ku', /must have no path, or one such as/],
  ['https://keys.example.com\\soku', /must have no path, or one such as/],
] as const) {
  test(`${text} is not a public URL`, () => {
    assert.match(publicUrlSchema.safeParse(text).error?.issues[0]?.message ?? 'accepted', problem);
  });
}
