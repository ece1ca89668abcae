import { hash } from 'node:crypto';
import { relative, sep } from 'node:path';
import { formatPreview, parseKey } from '@soku/key';
import type { Finding } from './scan-bytes.ts';

/** A key, and where it is. */
export interface Leak extends Finding {
  /** Absolute for a file; relative to the repository in the history; '' for the message of a commit or a tag. */
  path: string;
  /** In the history: the repository, and the first commit that has this version of the file. */
  commit?: { id: string; repository: string };
}

/** One line for each place. No part of it contains more of the key than its preview. */
export function formatText(leaks: readonly Leak[], prefixes: readonly string[], base: string): string {
  return leaks.map((leak) => `${describePlace(leak, base)}: ${describeKey(leak, prefixes)}`).join('\n');
}

function describePlace({ path, line, column, commit }: Leak, base: string): string {
  const place = `${line}:${column}`;
  if (commit === undefined) return `${shownPath(base, path)}:${place}`;
  const where = path === '' ? 'message' : path;
  return `${shownPath(base, commit.repository)} commit ${commit.id.slice(0, 12)} ${where}:${place}`;
}

function describeKey({ key, encoding }: Leak, prefixes: readonly string[]): string {
  const how = encoding === 'plain' ? '' : ` (${encoding})`;
  return `${previewOf(key, prefixes)}${how}, SHA-256 ${hexHash(key)}`;
}

function previewOf(key: string, prefixes: readonly string[]): string {
  const parts = parseKey(key, prefixes);
  return parts === null ? '' : formatPreview(parts);
}

function hexHash(key: string): string {
  return hash('sha256', key);
}

function shownPath(base: string, path: string): string {
  return relative(base, path) || '.';
}

/** SARIF 2.1.0, for code scanning services. The hash identifies the key in later runs. */
export function formatSarif(leaks: readonly Leak[], prefixes: readonly string[], base: string): string {
  const results = leaks.map((leak) => ({
    ruleId: 'soku-api-key',
    level: 'error',
    message: {
      text: `An API key is in this file: ${describeKey(leak, prefixes)}. Revoke it and create a new one.`,
    },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(leak, base) },
          region: { startLine: leak.line, startColumn: leak.column },
        },
      },
    ],
    partialFingerprints: { 'sokuKeyHash/v1': hexHash(leak.key) },
    ...(leak.commit && { properties: { commit: leak.commit.id } }),
  }));
  const rule = {
    id: 'soku-api-key',
    shortDescription: { text: 'A file contains an API key' },
    help: { text: 'Revoke the key, create a new one, and read it from the environment or a secret store.' },
  };
  const sarif = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver: { name: 'Soku API Keys', rules: [rule] } }, results }],
  };
  return JSON.stringify(sarif, null, 2);
}

function uriOf({ path, commit }: Leak, base: string): string {
  const local = commit === undefined ? shownPath(base, path) : path || '.git';
  return local.split(sep).map(encodeURIComponent).join('/');
}
