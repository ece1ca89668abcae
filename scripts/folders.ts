// Prevents import cycles between folders, because such folders cannot be read, tested or moved separately.

import { globSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'oxc-parser';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The packages whose folders must not form cycles. */
const packages = [
  'packages/server/src',
  'packages/dashboard/src',
  'packages/contract/src',
  'packages/key/src',
];

/** A file that imports another file of the same package. */
interface Import {
  from: string;
  to: string;
}

/** The imports of one file, including types, because a type is a dependency as well. */
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

/** The top-level folder of a file in its package; '' for files outside folders, which wire the folders together. */
function folderOf(source: string, file: string): string {
  const [folder = '', ...rest] = relative(source, file).split(sep);
  return rest.length === 0 ? '' : folder;
}

/** Imports between different folders of a package. */
function importsBetween(source: string): Import[] {
  return globSync(`${source}/**/*.{ts,tsx}`, { cwd: root })
    .filter((file) => !file.includes('.test.'))
    .flatMap((file) => importsOf(file).map((to) => ({ from: file, to })))
    .filter(({ from, to }) => {
      const [one, other] = [folderOf(source, from), folderOf(source, to)];
      return one !== other && one !== '' && other !== '';
    });
}

/** The folders that can be reached from a folder, including itself if there is a cycle. */
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
    console.error(`${from} imports ${to}, whose folder imports this one`);
  }
}
if (circular > 0) {
  console.error(
    `${circular} imports are part of a cycle of folders. Move the shared code into one of the folders.`,
  );
  process.exitCode = 1;
}
