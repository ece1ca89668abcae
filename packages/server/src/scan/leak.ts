import { hash } from 'node:crypto';
import { escapeHiddenCharacters } from '@soku/contract/visible-text';
import { formatPreview, locateKeys, parseKey } from '@soku/key';
import type { HistoryObject } from './history.ts';
import type { Repository } from './repository.ts';
import type { Finding } from './scan-bytes.ts';

/** A key, and where it is. */
export interface Leak extends Finding {
  place: LeakPlace;
}

/** `root`: the folder that the path is relative to in SARIF. Both are absolute. */
export type LeakPlace =
  | { kind: 'file'; path: string; root: string }
  | { kind: 'input' }
  | { kind: 'history'; repository: Repository; object: Omit<HistoryObject, 'bytes'> };

/** The preview of the key, how it is written, and its hash, which identifies it in the dashboard and in later scans. */
export function describeKey({ key, encoding }: Leak, prefixes: readonly string[]): string {
  const how = encoding === 'plain' ? '' : ` (${encoding})`;
  return `${describePreview(key, prefixes)}${how}, SHA-256 ${hashOfKey(key)}`;
}

export function describePreview(key: string, prefixes: readonly string[]): string {
  const parts = parseKey(key, prefixes);
  return parts === null ? '' : formatPreview(parts);
}

export function hashOfKey(key: string): string {
  return hash('sha256', key);
}

/**
 * Makes a path or a message of Git safe to print. The authors of the searched files choose every character of it, so it
 * could contain a key, or lines and control sequences that a terminal or a CI service would interpret.
 */
export function sanitizeForOutput(text: string, prefixes: readonly string[]): string {
  return escapeHiddenCharacters(hideKeys(text, prefixes));
}

/** Replaces keys with their previews. */
export function hideKeys(text: string, prefixes: readonly string[]): string {
  let hidden = text;
  for (const { start, end } of locateKeys(text, prefixes)) {
    const key = text.slice(start, end);
    hidden = hidden.replaceAll(key, describePreview(key, prefixes));
  }
  return hidden;
}

/** Where an object is: "commit 3f1c2a9be0d4 src/pay.ts", "commit 3f1c2a9be0d4 message" or "object 3f1c2a9be0d4". */
export function describeObject({ id, type, commit, path }: Omit<HistoryObject, 'bytes'>): string {
  if (type === 'tag') return `tag ${id.slice(0, 12)} message`;
  if (commit === undefined) return `unreferenced ${type === 'commit' ? type : 'object'} ${id.slice(0, 12)}`;
  if (type === 'commit') return `commit ${commit.slice(0, 12)} message`;
  return path === '' ? `object ${id.slice(0, 12)}` : `commit ${commit.slice(0, 12)} ${path}`;
}
