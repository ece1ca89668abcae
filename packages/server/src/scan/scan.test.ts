import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { generateKey } from '@soku/key';
import fc from 'fast-check';
import { z } from 'zod';
import { times } from '../../../../test/support/long.ts';
import { operate } from '../../../../test/support/operate.ts';
import { KeyFinder } from './find-in-text.ts';
import { scanBytes } from './scan-bytes.ts';

const prefix = 'acme_key_';
const newKey = () => generateKey({ prefix });
const hex = (key: string) => hash('sha256', key);
const scan = (...args: string[]) => operate(['scan', ...args], { SOKU_KEY_PREFIX: prefix });

/** A Git work tree that is removed after the test. */
class Repository {
  readonly path: string;

  constructor(t: TestContext) {
    this.path = mkdtempSync(join(tmpdir(), 'soku-scan-'));
    t.after(() => rmSync(this.path, { recursive: true, force: true }));
    this.git('init', '--quiet', '--initial-branch=main');
  }

  git(...args: string[]): string {
    const identity = [
      '-c',
      'user.name=Ada',
      '-c',
      'user.email=ada@example.com',
      '-c',
      'commit.gpgsign=false',
    ];
    return execFileSync('git', ['-C', this.path, ...identity, ...args], { encoding: 'utf8', stdio: 'pipe' });
  }

  write(file: string, content: string | Uint8Array): void {
    const path = join(this.path, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }

  commit(message: string): string {
    this.git('add', '--all');
    this.git('commit', '--quiet', '--allow-empty', '-m', message);
    return this.git('rev-parse', 'HEAD').trim();
  }
}

/** What surrounds keys in real projects, and looks like them. */
function filler(number: number): string {
  const almost = newKey().replace(/.$/, (last) => (last === 'a' ? 'b' : 'a'));
  const lines = [
    hex(newKey()),
    almost,
    prefix,
    Buffer.from(almost).toString('base64'),
    `const n = ${number};`,
  ];
  return `${lines.join('\n')}\n`.repeat(8);
}

const utf16 = (text: string, bigEndian = false) => {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le');
  return bigEndian ? bytes.swap16() : bytes;
};
const mime = (text: string) => Buffer.from(text).toString('base64').replaceAll(/.{76}/g, '$&\r\n');

test('keys are found in files, history, minified code, base64 and .env, and what is not found is known', async (t) => {
  const repository = new Repository(t);
  const [planted, unfound] = [new Map<string, string>(), new Set<string>()];
  const plant = (what: string) => {
    const key = newKey();
    planted.set(hex(key), what);
    return key;
  };
  const hide = () => {
    const key = newKey();
    unfound.add(hex(key));
    return key;
  };
  for (let i = 0; i < 8; i++) repository.write(`old/${i}.ts`, `const key = '${plant(`deleted ${i}`)}';\n`);
  repository.commit('Add the client');
  repository.git('rm', '-r', '--quiet', 'old');
  repository.commit(`Remove ${plant('commit message')}`);
  repository.git('switch', '--quiet', '-c', 'other');
  repository.write('other.txt', plant('another branch'));
  repository.commit('Other');
  repository.git('switch', '--quiet', 'main');
  repository.git('tag', '-a', 'v1', '-m', `Uses ${plant('tag message')}`);
  for (let i = 0; i < times(200, 10_000); i++) repository.write(`src/${i % 100}/${i}.ts`, filler(i));
  for (let i = 0; i < 10; i++)
    repository.write(`src/key-${i}.ts`, `${filler(i)}call("${plant(`source ${i}`)}")`);
  for (let i = 0; i < 9; i++) repository.write(`env/${i}/.env`, `A=b\r\nSOKU_KEY=${plant(`.env ${i}`)}\r\n`);
  const code = 'function(){return x}'.repeat(20_000);
  for (let i = 0; i < 5; i++)
    repository.write(`dist/${i}.min.js`, `${code},k="${plant(`minified ${i}`)}",${code}`);
  for (let i = 0; i < 5; i++)
    repository.write(
      `k8s/${i}.yaml`,
      `token: ${Buffer.from('x'.repeat(i) + plant(`base64 ${i}`)).toString('base64')}\n`,
    );
  repository.write(
    'mail.eml',
    `From: a\r\n\r\n${mime(`Dear Ada, the key is\r\n${plant('MIME')}\r\nBye`)}\r\n`,
  );
  repository.write(
    'sent.json',
    JSON.stringify({ body: mime(`The new key of the client is\r\n${plant('MIME in JSON')}\r\n`) }),
  );
  repository.write(
    'state.json',
    JSON.stringify({ a: Buffer.from(`>>>${plant('base64url')}`).toString('base64url') }),
  );
  for (let i = 0; i < 4; i++) {
    const encoded = plant(`URL ${i}`).replaceAll('_', ['%5f', '%5F', '%255F', '_'][i] ?? '');
    repository.write(`urls/${i}.log`, `GET /v1/me?api_key=${encoded}&x=1\n`);
  }
  repository.write('le.reg', utf16(`key=${plant('UTF-16')}`));
  repository.write('be.reg', utf16(`key=${plant('UTF-16, big-endian')}`, true));
  repository.write('image.png', Buffer.concat([Buffer.from([0, 255, 0, 128]), Buffer.from(plant('binary'))]));
  repository.write('log.gz', gzipSync(hide()));
  repository.write('twice.txt', Buffer.from(Buffer.from(hide()).toString('base64')).toString('base64'));
  repository.write('split.ts', hide().replace(prefix, `${prefix}' + '`));
  repository.write('hex.txt', Buffer.from(hide()).toString('hex'));
  assert.equal(planted.size, 50);

  const { code: exit, output } = await scan(repository.path);
  assert.equal(exit, 1, output);
  const found = new Set([...output.matchAll(/SHA-256 ([0-9a-f]{64})/g)].map(([, found = '']) => found));
  const missed = [...planted].filter(([hash]) => !found.has(hash)).map(([, what]) => what);
  assert.deepEqual(missed, []);
  assert.equal(found.size, planted.size, 'nothing else is reported');
  assert.ok([...unfound].every((hash) => !found.has(hash)));
  assert.match(output, /^soku: Found 50 keys in 50 places\. Searched [\d,]+ files and versions of files\.$/m);
  assert.doesNotMatch(output, /acme_key_[0-9A-Za-z]{4}/, 'no more of a key than its preview');
});

test('a place has its line and column, and a key in the history its first commit', async (t) => {
  const repository = new Repository(t);
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

  const sarif = await scan('--format', 'sarif', join(repository.path, 'a b.ts'));
  const region = z.object({ startLine: z.number(), startColumn: z.number() });
  const location = z.object({
    physicalLocation: z.object({ artifactLocation: z.object({ uri: z.string() }), region }),
  });
  const result = z.object({
    ruleId: z.string(),
    locations: z.array(location),
    partialFingerprints: z.record(z.string(), z.string()),
  });
  const schema = z.object({
    version: z.literal('2.1.0'),
    runs: z.array(z.object({ results: z.array(result) })),
  });
  const end = sarif.output.lastIndexOf('}') + 1;
  const [run] = schema.parse(JSON.parse(sarif.output.slice(sarif.output.indexOf('{'), end))).runs;
  assert.deepEqual(run?.results[0]?.locations[0]?.physicalLocation.region, { startLine: 3, startColumn: 5 });
  assert.match(run?.results[0]?.locations[0]?.physicalLocation.artifactLocation.uri ?? '', /a%20b\.ts$/);
  assert.deepEqual(run?.results[0]?.partialFingerprints, { 'sokuKeyHash/v1': hex(key) });
});

test('a clean folder exits with 0, and one that cannot be read completely does not', async (t) => {
  const repository = new Repository(t);
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

test('a wrong command line is explained', async (t) => {
  const repository = new Repository(t);
  for (const [args, message] of [
    [[], 'requires at least one file or folder'],
    [['/no/such/folder'], 'does not exist'],
    [['--format', 'xml', '.'], '--format must be text or sarif'],
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

test('a key is found wherever the pieces of a file and their overlap begin', async () => {
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
    { numRuns: times(200, 20_000) },
  );
});
