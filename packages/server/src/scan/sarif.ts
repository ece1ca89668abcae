import { join, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  describeKey,
  describeObject,
  hashOfKey,
  hideKeys,
  type Leak,
  type LeakPlace,
  sanitizeForOutput,
} from './leak.ts';
import type { ScanResult } from './scan.ts';

const ruleId = 'soku-api-key';
const remedy = 'Revoke it and create a new one.';

/**
 * SARIF 2.1.0, for code scanning services. The hash identifies the key in later runs. No part of it contains more of the
 * key than its preview.
 */
export function formatSarif({ leaks, problems, gaps }: ScanResult, prefixes: readonly string[]): string {
  const roots = new Map(leaks.map(({ place }) => [rootOf(place), '']));
  for (const [index, root] of [...roots.keys()].entries()) roots.set(root, `ROOT${index + 1}`);
  const notices = [...problems, ...gaps].map(({ path, reason }) => ({
    level: 'error',
    message: { text: `${path} was not searched completely: ${reason}` },
  }));
  const run = {
    tool: { driver: { name: 'Soku API Keys', rules: [rule] } },
    columnKind: 'utf16CodeUnits',
    originalUriBaseIds: Object.fromEntries(
      [...roots].flatMap(([root, id]) =>
        root === '' ? [] : [[id, { uri: hideKeys(folderUri(root), prefixes) }]],
      ),
    ),
    invocations: [{ executionSuccessful: notices.length === 0, toolExecutionNotifications: notices }],
    results: leaks.map((leak) => resultOf(leak, prefixes, roots.get(rootOf(leak.place)) ?? '')),
  };
  const sarif = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [run],
  };
  return JSON.stringify(sarif, null, 2);
}

const rule = {
  id: ruleId,
  shortDescription: { text: 'A file contains an API key' },
  help: { text: 'Revoke the key, create a new one, and read it from the environment or a secret store.' },
};

function resultOf(leak: Leak, prefixes: readonly string[], uriBaseId: string) {
  const { place, line, column, key } = leak;
  const object =
    place.kind === 'history' ? sanitizeForOutput(describeObject(place.object), prefixes) : undefined;
  const where = object === undefined ? 'this file' : `the history, in ${object}`;
  const artifactLocation = {
    uri: hideKeys(uriOf(place), prefixes),
    ...(place.kind !== 'input' && { uriBaseId }),
  };
  return {
    ruleId,
    ruleIndex: 0,
    level: 'error',
    message: { text: `An API key is in ${where}: ${describeKey(leak, prefixes)}. ${remedy}` },
    locations: [
      {
        physicalLocation: { artifactLocation, region: { startLine: line, startColumn: column } },
        ...(object !== undefined && { logicalLocations: [{ fullyQualifiedName: object }] }),
      },
    ],
    partialFingerprints: { 'sokuKeyHash/v1': hashOfKey(key) },
    ...(place.kind === 'history' && {
      properties: { commit: place.object.commit, object: place.object.id },
    }),
  };
}

/** '' for the standard input. */
function rootOf(place: LeakPlace): string {
  if (place.kind === 'input') return '';
  return place.kind === 'file' ? place.root : place.repository.root;
}

/** Relative to the root. A message, or an object without a path, is in the objects of Git. */
function uriOf(place: LeakPlace): string {
  if (place.kind === 'input') return 'stdin';
  if (place.kind === 'file') return encodePath(relative(place.root, place.path));
  const { root, gitDir } = place.repository;
  return encodePath(place.object.path || relative(root, join(gitDir, 'objects')));
}

function encodePath(path: string): string {
  return path.split(sep).map(encodeURIComponent).join('/');
}

/** With `/` at its end, as the URI of a base must have. */
function folderUri(folder: string): string {
  return pathToFileURL(`${folder}${sep}`).href;
}
