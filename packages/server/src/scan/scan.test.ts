import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { generateKey } from '@soku/key';
import fc from 'fast-check';
import { GitRepository } from '../../../../test/support/git-repository.ts';
import { runOperatorInProcess } from '../../../../test/support/operator-in-process.ts';
import { filler, plantKeys, plantedPrefix as prefix, utf16 } from '../../../../test/support/planted-keys.ts';
import { runCount } from '../../../../test/support/run-count.ts';
import { KeyFinder } from './find-in-text.ts';
import { scanBytes } from './scan-bytes.ts';

const newKey = () => generateKey({ prefix });
const hex = (key: string) => hash('sha256', key);
const env = { SOKU_KEY_PREFIX: prefix };
const scan = (...args: string[]) => runOperatorInProcess(['scan', ...args], env);

test('keys are found in files, history, minified code, base64 and .env, and only the documented places are missed', async () => {
  using repository = new GitRepository();
  const { planted, hidden } = plantKeys(repository, runCount(200, 10_000));
  assert.equal(planted.size, 50);
  const { code, output } = await scan(repository.path);
  assert.equal(code, 1, output);
  const found = new Set([...output.matchAll(/SHA-256 ([0-9a-f]{64})/g)].map(([, found = '']) => found));
  const missed = [...planted].filter(([hash]) => !found.has(hash)).map(([, where]) => where);
  assert.deepEqual(missed, []);
  assert.equal(found.size, planted.size, 'nothing else is reported');
  assert.ok([...hidden.keys()].every((hash) => !found.has(hash)));
  assert.match(output, /^soku: Found 50 keys in 50 places\. Searched [\d,]+ files and versions of files\.$/m);
  assert.doesNotMatch(output, /acme_key_[0-9A-Za-z]{4}/, 'no more of a key than its preview');
});

test('a finding has its line and column, and in the history the first commit with the key', async () => {
  using repository = new GitRepository();
  const key = newKey();
  repository.write('a b.ts', `one\ntwo ${key}\n`);
  const first = repository.commit('First');
  repository.write('a b.ts', `zero\none\ntwo ${key}\n`);
  repository.commit('Second');
  const { output } = await scan(repository.path);
  assert.match(output, /a b\.ts:3:5: acme_key_\w{3}\.\.\.\w{3}, SHA-256/);
  assert.match(output, new RegExp(`commit ${first.slice(0, 12)} a b\\.ts:2:5: `));
  assert.match(output, /Found 1 key in 2 places\./);
  const { output: files } = await scan('--no-history', repository.path);
  assert.match(files, /Found 1 key in 1 place\. Searched 1 file\./);
});

test('standard input is searched', async () => {
  const key = newKey();
  const { code, output } = await runOperatorInProcess(['scan', '-'], env, `one\ntwo ${key}\n`);
  assert.equal(code, 1, output);
  assert.ok(output.includes(`standard input:2:5: `) && output.includes(hex(key)), output);
  assert.equal((await runOperatorInProcess(['scan', '-'], env, filler(1))).code, 0);
});

test('keys of a baseline are not reported, and it contains no key', async () => {
  using repository = new GitRepository();
  const [known, fresh] = [newKey(), newKey()];
  repository.write('old.txt', `${known}\n`);
  const { output: printed } = await scan('--no-history', '--format', 'baseline', repository.path);
  assert.match(printed, new RegExp(`^${hex(known)} acme_key_\\w{3}\\.\\.\\.\\w{3}$`, 'm'));
  assert.ok(!printed.includes(known));
  using other = new GitRepository();
  other.write('known', printed.replace(/^soku: .*$/gm, ''));
  const baseline = ['--baseline', join(other.path, 'known')];
  const clean = await scan(...baseline, repository.path);
  assert.equal(clean.code, 0, clean.output);
  assert.match(clean.output, /Found no keys, and 1 key of the baseline\./);
  repository.write('new.txt', fresh);
  const { code, output } = await scan(...baseline, repository.path);
  assert.equal(code, 1);
  assert.ok(output.includes(hex(fresh)) && !output.includes(hex(known)), output);
  other.write('known', `# keys\n${known}\n`);
  const wrong = await scan(...baseline, repository.path);
  assert.equal(wrong.code, 64);
  assert.match(wrong.output, /known: line 2 does not begin with a SHA-256\./);
  assert.ok(!wrong.output.includes(known.slice(prefix.length, -3)));
});

test('a scan of a clean folder exits with 0, and an incomplete scan does not', async () => {
  using repository = new GitRepository();
  repository.write('clean.txt', filler(1));
  symlinkSync('/', join(repository.path, 'root'));
  repository.commit('Clean');
  const clean = await scan(repository.path);
  assert.equal(clean.code, 0, clean.output);
  assert.match(clean.output, /^soku: Found no keys\./m);
  rmSync(join(repository.path, '.git', 'objects'), { recursive: true });
  const broken = await scan(repository.path);
  assert.equal(broken.code, 66, broken.output);
  assert.match(broken.output, /was not searched: /);
});

test('file names are printed without keys and terminal control sequences', async () => {
  using repository = new GitRepository();
  const key = newKey();
  repository.write(`\u001b[2J${key}.txt`, key);
  const commit = repository.commit('First');
  const { output } = await scan(repository.path);
  assert.match(output, /\\u\{1b\}\[2Jacme_key_\w{3}\.\.\.\w{3}\.txt:1:1: /);
  assert.ok(output.includes(`commit ${commit.slice(0, 12)} `), output);
  const sarif = await scan('--format', 'sarif', repository.path);
  for (const text of [output, sarif.output]) assert.ok(!text.includes(key) && !text.includes('\u001b'), text);
});

test('a wrong command line is explained', async () => {
  using repository = new GitRepository();
  for (const [args, message] of [
    [[], 'requires at least one file or folder'],
    [['/no/such/folder'], 'does not exist'],
    [['--format', 'xml', '.'], '--format must be text, sarif or baseline'],
    [['--since', 'main', '--no-history', '.'], 'exclude each other'],
    [['--baseline', '/no/such/file', '.'], 'does not exist'],
    [['--baseline', repository.path, '.'], 'cannot be read (EISDIR)'],
    [['--prefix', 'Wrong', '.'], '--prefix must be'],
  ] as const) {
    const { code, output } = await scan(...args);
    assert.equal(code, 64, output);
    assert.ok(output.includes(message), output);
  }
  const other = generateKey({ prefix: 'other_' });
  repository.write('other.txt', other);
  assert.equal((await scan(repository.path)).code, 0);
  assert.equal((await scan('--prefix', 'other_', repository.path)).code, 1);
});

test('a file with very many keys in one line, or in as many lines, is searched in one pass', {
  timeout: 20_000,
}, async () => {
  const finder = new KeyFinder([prefix]);
  const key = newKey();
  for (const between of [' ', '\n']) {
    const found = await scanBytes(finder, [Buffer.from(`${key}${between}`.repeat(50_000))]);
    const { line, column } = found.at(-1) ?? {};
    const last = 49_999;
    assert.deepEqual([line, column], between === ' ' ? [1, last * (key.length + 1) + 1] : [last + 1, 1]);
  }
});

test('a key is found wherever the chunks of a file and their overlap begin', async () => {
  const finder = new KeyFinder([prefix]);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('text\n', 'acme_', '\0', 'Zm9v', '%5F'), { maxLength: 40 }),
      fc.constantFrom<(key: string) => string>(
        (key) => key,
        (key) => Buffer.from(`12${key}`).toString('base64'),
        (key) => key.replaceAll('_', '%5F'),
        (key) => utf16(key).toString('latin1'),
      ),
      fc.integer({ min: 1, max: 64 }),
      async (around, encode, size) => {
        const key = newKey();
        const middle = Math.floor(around.length / 2);
        const text = [...around.slice(0, middle), ' ', encode(key), ' ', ...around.slice(middle)].join('');
        const bytes = Buffer.from(text, 'latin1');
        const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
          bytes.subarray(i * size, (i + 1) * size),
        );
        const found = await scanBytes(finder, pieces, 100);
        assert.deepEqual(
          found.map((one) => one.key),
          [key],
        );
        const before = text.slice(0, text.indexOf(encode(key)));
        assert.ok((found[0]?.line ?? 0) >= before.split('\n').length);
      },
    ),
    { numRuns: runCount(200, 20_000) },
  );
});
