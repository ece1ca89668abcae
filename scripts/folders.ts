// Prevents folders from importing each other in a circle: nobody could then read, test or move one of them alone.

import { globSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'oxc-parser';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Their folders are the parts that must have an order. */
const packages = [
  'packages/server/src',
  'packages/dashboard/src',
  'packages/contract/src',
  'packages/key/src',
];

/** One file that imports another one of the same package. */
interface Import {
  from: string;
  to: string;
}

/** The imports of one file, types included: who only needs a type depends on its shape, too. */
function importsOf(file: string): string[] {
  const source = readFileSync(join(root, file), 'utf8');
  const { module } = parseSync(file, source);
  const requests = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) => entries.map((entry) => entry.moduleRequest?.value)),
    ...module.dynamicImports.map(({ moduleRequest: { start, end } }) => source.slice(start + 1, end - 1)),
  ];
  return requests
    .filter((request) => request?.startsWith('.') === true)
    .map((request) => posix.join(dirname(file), request ?? ''));
}

/** The folder of a package that a file lies in; '' for files that lie in none, which put the folders together. */
function folderOf(source: string, file: string): string {
  const [folder = '', ...rest] = relative(source, file).split(sep);
  return rest.length === 0 ? '' : folder;
}

/** Between different folders of a package. */
function importsBetween(source: string): Import[] {
  return globSync(`${source}/**/*.{ts,tsx}`, { cwd: root })
    .filter((file) => !file.includes('.test.'))
    .flatMap((file) => importsOf(file).map((to) => ({ from: file, to })))
    .filter(({ from, to }) => {
      const [one, other] = [folderOf(source, from), folderOf(source, to)];
      return one !== other && one !== '' && other !== '';
    });
}

/** The folders that can be reached from each, itself included when there is a circle. */
function reachable(edges: ReadonlyMap<string, ReadonlySet<string>>, start: string): Set<string> {
  const seen = new Set<string>();
  const next = [...(edges.get(start) ?? [])];
  for (let folder = next.pop(); folder !== undefined; folder = next.pop()) {
    if (seen.has(folder)) continue;
    seen.add(folder);
    next.push(...(edges.get(folder) ?? []));
  }
  return seen;
}

let circular = 0;
for (const source of packages) {
  const imports = importsBetween(source);
  const edges = new Map<string, Set<string>>();
  for (const { from, to } of imports) {
    const folder = folderOf(source, from);
    edges.set(folder, (edges.get(folder) ?? new Set()).add(folderOf(source, to)));
  }
  for (const { from, to } of imports) {
    if (!reachable(edges, folderOf(source, to)).has(folderOf(source, from))) continue;
    circular += 1;
    console.error(`${from} imports ${to}, whose folder imports its own`);
  }
}
if (circular > 0) {
  console.error(`${circular} imports are part of a circle of folders. Move what both need into one of them.`);
  process.exitCode = 1;
}
