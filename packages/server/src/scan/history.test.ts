import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { generateKey } from '@soku/key';
import { GitRepository } from '../../../../test/support/git-repository.ts';
import { runOperatorInProcess } from '../../../../test/support/operator-in-process.ts';
import { plantedPrefix as prefix } from '../../../../test/support/planted-keys.ts';
import { runOperator } from '../../../../test/support/server.ts';

const newKey = () => generateKey({ prefix });
const hex = (key: string) => hash('sha256', key);
const scan = (...args: string[]) => runOperatorInProcess(['scan', ...args], { SOKU_KEY_PREFIX: prefix });

/** A repository whose first commit, and no later one, has a key, and a folder for clones of it. */
function withOldKey(): { origin: GitRepository; target: string; key: string } {
  const origin = new GitRepository();
  const key = newKey();
  origin.write('old.txt', key);
  origin.write('sub/new.txt', 'new');
  origin.commit('First');
  rmSync(join(origin.path, 'old.txt'));
  origin.commit('Second');
  origin.git('config', 'uploadpack.allowFilter', 'true');
  return { origin, target: join(origin.path, '.git', 'clone'), key };
}

/** Clones by the protocol of the network: a copy of the files would be complete. */
function clone(origin: GitRepository, target: string, ...options: string[]): void {
  const args = ['clone', '--quiet', ...options, `file://${origin.path}`, target];
  execFileSync('git', args, { stdio: 'pipe' });
}

test('a scan of a shallow clone is incomplete, and finds all keys once the clone is complete', async () => {
  const { origin, target, key } = withOldKey();
  using _ = origin;
  clone(origin, target, '--depth', '1');
  const cut = await scan(target);
  assert.equal(cut.code, 66, cut.output);
  assert.match(
    cut.output,
    /is incomplete: its history is truncated, because this clone is shallow\..*--unshallow/,
  );
  assert.match(cut.output, /Found no keys in what was searched\./);
  const allowed = await scan('--allow-incomplete', target);
  assert.equal(allowed.code, 0);
  assert.match(allowed.output, /this clone is shallow/);
  assert.equal((await scan('--no-history', target)).code, 0);
  assert.equal((await scan(join(target, 'sub'))).code, 66, 'also for a folder of it');
  execFileSync('git', ['-C', target, 'fetch', '--quiet', '--unshallow']);
  const whole = await scan(target);
  assert.equal(whole.code, 1, whole.output);
  assert.ok(whole.output.includes(hex(key)));
});

test('a scan of a partial clone is incomplete, fetches nothing, and finds all keys once the clone is complete', async () => {
  const { origin, target, key } = withOldKey();
  using _ = origin;
  clone(origin, target, '--filter=blob:none');
  const part = await scan(target);
  assert.equal(part.code, 66, part.output);
  assert.match(
    part.output,
    /is incomplete: objects of its history are missing \(1\), because this clone is partial/,
  );
  assert.equal((await scan(target)).code, 66, 'the first scan fetched nothing');
  assert.equal((await scan('--allow-incomplete', target)).code, 0);
  execFileSync('git', ['-C', target, 'fetch', '--quiet', '--refetch', '--no-filter']);
  const whole = await scan(target);
  assert.equal(whole.code, 1, whole.output);
  assert.ok(whole.output.includes(hex(key)));
});

test('a repository that lacks objects without being a partial clone is damaged, not incomplete', async () => {
  using repository = new GitRepository();
  repository.write('a.txt', 'lost');
  repository.commit('First');
  const id = repository.git('rev-parse', 'HEAD:a.txt').trim();
  rmSync(join(repository.path, '.git/objects', id.slice(0, 2), id.slice(2)));
  const { code, output } = await scan('--allow-incomplete', repository.path);
  assert.equal(code, 66, output);
  assert.match(output, /was not searched: objects of its history are missing \(1\), because it is damaged\./);
});

test('a scan ends when git cannot read an object, and reports the keys before it', async () => {
  using repository = new GitRepository();
  const key = newKey();
  repository.write('a.txt', 'damaged later'.repeat(1000));
  repository.commit(`First, with ${key}`);
  // Their names are more than the pipes between the processes hold.
  const folder = Array(5).fill('n'.repeat(200)).join('/');
  for (let i = 0; i < 200; i++) repository.write(`${folder}/${i}.txt`, `${i}`);
  repository.commit('Second');
  const id = repository.git('rev-parse', 'HEAD~1:a.txt').trim();
  const file = join(repository.path, '.git/objects', id.slice(0, 2), id.slice(2));
  const object = readFileSync(file);
  rmSync(file);
  for (const [damaged, message] of [
    [object.subarray(0, -8), /was not searched: git ended in the middle of an object/],
    [Buffer.from('damaged'), /was not searched: git cannot read the object [0-9a-f]{40}/],
  ] as const) {
    writeFileSync(file, damaged);
    const { code, output } = await scan(repository.path);
    assert.equal(code, 1, output);
    assert.ok(output.includes(hex(key)), output);
    assert.match(output, message);
  }
});

test('a folder behind a symbolic link has the history of its target', async () => {
  const { origin, key } = withOldKey();
  using _ = origin;
  origin.write('sub/old.txt', key);
  origin.commit('Third');
  rmSync(join(origin.path, 'sub/old.txt'));
  origin.commit('Fourth');
  using other = new GitRepository();
  symlinkSync(join(origin.path, 'sub'), join(other.path, 'link'));
  const { code, output } = await scan(join(other.path, 'link'));
  assert.equal(code, 1, output);
  assert.match(output, /commit [0-9a-f]{12} sub\/old\.txt:1:1: /);
});

test('the history of a bare repository is searched, also below a folder', async () => {
  const { origin, target, key } = withOldKey();
  using _ = origin;
  const folder = join(target, 'group');
  mkdirSync(folder, { recursive: true });
  clone(origin, join(folder, 'shop.git'), '--bare');
  for (const path of [target, join(folder, 'shop.git')]) {
    const { code, output } = await scan(path);
    assert.equal(code, 1, output);
    assert.match(output, /shop\.git commit [0-9a-f]{12} old\.txt:1:1: /);
    assert.ok(output.includes(hex(key)));
  }
});

test('a folder of a repository has its own history, and a file has none', async () => {
  using repository = new GitRepository();
  const [inside, outside, merged] = [newKey(), newKey(), newKey()];
  repository.write('sub/deep/a.txt', inside);
  repository.write('b.txt', outside);
  repository.write('sub/c.txt', '');
  repository.commit('First');
  repository.git('switch', '--quiet', '-c', 'side');
  repository.write('sub/c.txt', merged);
  repository.commit('Side');
  repository.git('switch', '--quiet', 'main');
  rmSync(join(repository.path, 'sub/deep'), { recursive: true });
  rmSync(join(repository.path, 'b.txt'));
  repository.commit('Remove them');
  repository.git('merge', '--quiet', '--strategy', 'ours', 'side', '-m', 'Drop the side');
  repository.git('branch', '--quiet', '-D', 'side');
  repository.git('reflog', 'expire', '--expire=now', '--all');
  const { code, output } = await scan(join(repository.path, 'sub'));
  assert.equal(code, 1, output);
  assert.match(output, /commit [0-9a-f]{12} sub\/deep\/a\.txt:1:1: /);
  assert.ok(output.includes(hex(inside)) && output.includes(hex(merged)), output);
  assert.ok(!output.includes(hex(outside)));
  assert.equal((await scan(join(repository.path, 'sub/c.txt'))).code, 0);
  repository.git('config', 'core.worktree', '../..');
  assert.equal((await scan(join(repository.path, 'sub'))).output, output, 'whatever root is configured');
});

test('all references, all stashes, and objects without a reference are searched', async () => {
  using repository = new GitRepository();
  const places = new Map<string, string>();
  const plant = (where: string) => {
    const key = newKey();
    places.set(hex(key), where);
    return key;
  };
  repository.write('a.txt', 'a');
  repository.commit('First');
  for (const name of ['oldest', 'middle', 'newest']) {
    repository.write('a.txt', plant(`${name} stash`));
    repository.git('stash', '--quiet');
  }
  repository.git('notes', 'add', '-m', plant('note'));
  repository.write('b.txt', plant('remote branch, replaced'));
  const remote = repository.commit('Remote');
  repository.git('update-ref', 'refs/remotes/origin/topic', 'HEAD');
  repository.write('c.txt', plant('tag of no branch'));
  repository.commit('Tagged');
  repository.git('tag', 'lightweight');
  repository.write('d.txt', plant('amended commit'));
  repository.commit('Amended');
  repository.git('reset', '--quiet', '--hard', 'HEAD~3');
  repository.git('replace', remote, 'HEAD');
  repository.git(
    'tag',
    'blob',
    execFileSync('git', ['-C', repository.path, 'hash-object', '-w', '--stdin'], {
      input: plant('tag of a blob'),
      encoding: 'utf8',
    }).trim(),
  );
  repository.write('e.txt', plant('staged file'));
  repository.git('add', 'e.txt');
  rmSync(join(repository.path, 'e.txt'));
  repository.write('a.txt', plant('dropped stash'));
  repository.git('stash', '--quiet');
  repository.git('stash', 'drop', '--quiet');
  const { code, output } = await scan(repository.path);
  assert.equal(code, 1, output);
  const missed = [...places].filter(([hash]) => !output.includes(hash)).map(([, where]) => where);
  assert.deepEqual(missed, []);
  assert.match(output, /unreferenced object [0-9a-f]{12}:1:1: /);
  assert.equal(output.match(/commit [0-9a-f]{12} a\.txt:1:1: /g)?.length, 3, 'each stash has its path');
  assert.match(output, new RegExp(`Found ${places.size} keys in ${places.size} places\\.`));
});

test('a range includes what its commits added, and its start must exist', async () => {
  using repository = new GitRepository();
  const [before, added, other] = [newKey(), newKey(), newKey()];
  repository.write('a.txt', before);
  const start = repository.commit('First');
  repository.git('switch', '--quiet', '-c', 'other');
  repository.write('o.txt', other);
  repository.commit('Other');
  repository.git('switch', '--quiet', 'main');
  repository.write('b.txt', added);
  repository.commit(`Add ${added}`);
  rmSync(join(repository.path, 'b.txt'));
  repository.commit('Remove it');
  const { code, output } = await scan('--since', start, repository.path);
  assert.equal(code, 1, output);
  assert.match(output, /Found 1 key in 2 places\./);
  assert.match(output, /commit [0-9a-f]{12} b\.txt:1:1: /);
  assert.match(output, /commit [0-9a-f]{12} message:6:5: /);
  assert.ok(output.includes(hex(added)));
  repository.write('HEAD', 'a file with the name of a commit');
  assert.equal((await scan('--since', 'HEAD~1', repository.path)).code, 0);
  rmSync(join(repository.path, 'HEAD'));
  const unknown = await scan('--since', 'no-such-commit', repository.path);
  assert.equal(unknown.code, 66, unknown.output);
  assert.match(unknown.output, /has no commit no-such-commit/);

  const target = join(repository.path, '.git', 'clone');
  clone(repository, target, '--depth', '2');
  assert.equal((await scan('--since', 'HEAD~1', target)).code, 0, 'the range is complete');
  execFileSync('git', ['-C', target, 'fetch', '--quiet', '--depth', '1', 'origin', start]);
  const cut = await scan('--allow-incomplete', '--since', start, target);
  assert.match(cut.output, /this clone is shallow/, cut.output);
});

test('each work tree of a repository has its own range, and a file is searched alone', async () => {
  using repository = new GitRepository();
  const [feature, other] = [newKey(), newKey()];
  repository.write('sub/a.txt', '');
  const start = repository.commit('First');
  const tree = join(repository.path, '.git', 'feature');
  repository.git('worktree', 'add', '--quiet', '-b', 'feature', tree);
  writeFileSync(join(tree, 'sub', 'a.txt'), feature);
  writeFileSync(join(tree, 'sub', 'b.txt'), other);
  execFileSync('git', ['-C', tree, 'add', '--all']);
  repository.git('-C', tree, 'commit', '--quiet', '-m', 'Add them');
  const both = await scan('--since', start, repository.path, tree);
  assert.equal(both.code, 1, both.output);
  assert.ok(both.output.includes(hex(feature)) && both.output.includes(hex(other)), both.output);
  const file = await scan('--since', start, join(tree, 'sub', 'a.txt'));
  assert.equal(file.code, 1, file.output);
  assert.ok(file.output.includes(hex(feature)) && !file.output.includes(hex(other)), file.output);
});

test('a folder that looks like a bare repository is searched, and a path can have any name', async () => {
  const { origin, target, key } = withOldKey();
  using _ = origin;
  const fresh = newKey();
  for (const file of ['HEAD', 'refs/main', 'objects/ab/k.txt']) origin.write(`like/${file}`, fresh);
  const { code, output } = await scan('--no-history', origin.path);
  assert.equal(code, 1, output);
  assert.match(output, /Found 1 key in 3 places\./);
  const folder = join(target, 'line\nbreak');
  mkdirSync(folder, { recursive: true });
  clone(origin, join(folder, 'shop.git'), '--bare');
  const named = await scan(folder);
  assert.equal(named.code, 1, named.output);
  assert.ok(named.output.includes(hex(key)), named.output);
});

test('the variables of a hook of another repository do not change what is searched', async () => {
  const { origin, target, key } = withOldKey();
  using _ = origin;
  clone(origin, target);
  using empty = new GitRepository();
  const gitDir = join(empty.path, '.git');
  const env = { SOKU_KEY_PREFIX: prefix, GIT_DIR: gitDir, GIT_OBJECT_DIRECTORY: join(gitDir, 'objects') };
  const { code, output } = await runOperator(['scan', target], { dataDir: empty.path, env });
  assert.equal(code, 1, output);
  assert.ok(output.includes(hex(key)), output);
});
