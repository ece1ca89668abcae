import { loadavg } from 'node:os';
import { GitRepository } from '../../test/support/git-repository.ts';
import { plantedPrefix, plantKeys } from '../../test/support/planted-keys.ts';
import { runOperator } from '../../test/support/server.ts';
import { abbreviateCount, type Figure, type Side, type Sizes } from '../figure.ts';
import { childrenCpuTimeMs } from '../process-usage.ts';

/** The whole command in a repository with planted keys: its time, and what it finds. */
export async function measureScan({ scannedFiles, rounds }: Sizes): Promise<Figure[]> {
  using repository = new GitRepository();
  const { planted, hidden } = plantKeys(repository, scannedFiles);
  repository.commit('Add everything');
  const { path } = repository;
  const [whole, files]: [Run[], Run[]] = [[], []];
  const load = loadavg()[0]?.toFixed(0);
  for (let round = 0; round < rounds; round++) {
    whole.push(await run([path]));
    files.push(await run(['--no-history', path]));
  }
  const found = whole.map((one) => one.found);
  const title = `${abbreviateCount(scannedFiles)} files`;
  const how = `The whole command, including the start of its process, in a repository with ${title} of 1.5 kB and ${planted.size} planted keys. The load average of the machine was ${load} before.`;
  return [
    {
      name: 'planted keys found by the scanner',
      values: found.map((hashes) => countIn(hashes, planted)),
      unit: `of ${planted.size}`,
      how: 'Keys by the place where they are planted. The last rows are places where the scanner is known not to find keys.',
      sides: [...sidesOf(found, planted), ...sidesOf(found, hidden)],
    },
    { name: `scan of ${title} and their history`, values: whole.map(({ s }) => s), unit: 's', how },
    {
      name: `scan of ${title} and their history, CPU time`,
      values: whole.map(({ cpu }) => cpu),
      unit: 's',
      how,
    },
    { name: `scan of ${title} without history`, values: files.map(({ s }) => s), unit: 's', how },
    {
      name: `scan of ${title} without history, CPU time`,
      values: files.map(({ cpu }) => cpu),
      unit: 's',
      how,
    },
  ];
}

interface Run {
  /** The SHA-256 of each key that was found. */
  found: Set<string>;
  /** Seconds until the process ended, and of the CPU time of the process and of Git. */
  s: number;
  cpu: number;
}

async function run(args: string[]): Promise<Run> {
  const [begun, before] = [performance.now(), childrenCpuTimeMs()];
  const { code, output } = await runOperator(['scan', '--prefix', plantedPrefix, ...args], { dataDir: '/' });
  if (code !== 1) throw new Error(`the scan ended with ${code}: ${output}`);
  const hashes = [...output.matchAll(/SHA-256 ([0-9a-f]{64})/g)].map(([, found = '']) => found);
  const s = (performance.now() - begun) / 1000;
  return { found: new Set(hashes), s, cpu: (childrenCpuTimeMs() - before) / 1000 };
}

function countIn(found: ReadonlySet<string>, keys: ReadonlyMap<string, string>): number {
  return [...keys.keys()].filter((hash) => found.has(hash)).length;
}

/** One side for each place where keys are. */
function sidesOf(found: readonly Set<string>[], keys: ReadonlyMap<string, string>): Side[] {
  return [...new Set(keys.values())].map((name) => {
    const here = new Map([...keys].filter(([, where]) => where === name));
    return { name, values: found.map((hashes) => countIn(hashes, here)), unit: `of ${here.size}` };
  });
}
