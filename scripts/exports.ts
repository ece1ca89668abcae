// Prevents two exports with the same name, because an import or a search could then find the wrong one.

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'oxc-parser';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * The names that a file defines and exports. Re-exports count in the file that defines them. A type and a value with
 * the same name in one file count once.
 */
function exportsOf(file: string): Set<string> {
  const { module } = parseSync(file, readFileSync(join(root, file), 'utf8'));
  const imported = new Set(
    module.staticImports.flatMap(({ entries }) => entries.map(({ localName }) => localName.value)),
  );
  const own = module.staticExports
    .flatMap(({ entries }) => entries)
    .filter(({ moduleRequest, localName }) => moduleRequest === null && !imported.has(localName.name ?? ''))
    // A default export has only its local name.
    .flatMap(({ exportName, localName }) => exportName.name ?? localName.name ?? []);
  return new Set(own);
}

const filesByName = new Map<string, string[]>();
for (const file of globSync('packages/*/src/**/*.{ts,tsx}', { cwd: root }).sort()) {
  if (file.includes('.test.')) continue;
  for (const name of exportsOf(file)) filesByName.set(name, [...(filesByName.get(name) ?? []), file]);
}

const shared = [...filesByName].filter(([, files]) => files.length > 1);
for (const [name, files] of shared) console.error(`${name} is exported by ${files.join(' and ')}`);
if (shared.length > 0) {
  console.error(`Names exported twice: ${shared.length}. Remove one export, or rename the less central one.`);
  process.exitCode = 1;
}
