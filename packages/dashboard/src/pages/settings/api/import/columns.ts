/** Which field of a key each column of a file holds, and how its cells are read. */
import { type ImportColumn, importColumns, readImportRow } from '@soku/contract/import-table';
import type { ImportFile } from './read-file.ts';

/** The field of each column; null: the column is ignored. */
export type Mapping = readonly (ImportColumn | null)[];

/** Names of columns in other systems, in lowercase and without separators. */
const otherNames: Record<string, ImportColumn> = {
  label: 'name',
  title: 'name',
  sha256: 'hash',
  keyhash: 'hash',
  hashedkey: 'hash',
  start: 'previewStart',
  prefix: 'previewStart',
  end: 'previewEnd',
  suffix: 'previewEnd',
  last4: 'previewEnd',
  expires: 'expiresAt',
  expiry: 'expiresAt',
  expirationdate: 'expiresAt',
  scope: 'scopes',
  permissions: 'scopes',
  addresses: 'allowedAddresses',
  ipaddresses: 'allowedAddresses',
  customerid: 'externalId',
  userid: 'externalId',
  referenceid: 'externalId',
  created: 'createdAt',
};

const hashPattern = /^(?:[0-9a-fA-F]{64}|[0-9A-Za-z_+/-]{43}=?)$/;

/** Guesses the field of each column from its name, and the column of the hashes from its cells, too. */
export function guessMapping({ columns, rows }: ImportFile): Mapping {
  const taken = new Set<ImportColumn>();
  const take = (field: ImportColumn | undefined) => {
    if (field === undefined || taken.has(field)) return null;
    taken.add(field);
    return field;
  };
  const byName = columns.map((column) => take(fieldNamed(column)));
  if (taken.has('hash')) return byName;
  const hashes = columns.findIndex(
    (_, i) => byName[i] === null && rows.every((row) => hashPattern.test(row[i] ?? '')),
  );
  return byName.map((field, i) => (i === hashes ? 'hash' : field));
}

/** The column by which another system seems to state whether a key is accepted. It is never imported. */
export function stateColumnOf({ columns }: ImportFile): string | undefined {
  return columns.find((column) =>
    /^(is)?(enabled|active|disabled|revoked|deleted|status|state)(at)?$/.test(plain(column)),
  );
}

function plain(column: string): string {
  return column.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

function fieldNamed(column: string): ImportColumn | undefined {
  const name = plain(column);
  const other = Object.hasOwn(otherNames, name) ? otherNames[name] : undefined;
  return importColumns.find((field) => field.toLowerCase() === name) ?? other;
}

/** The keys of a file, for the API. Cells that cannot be read are left as they are, and the API reports them. */
export function toKeys({ rows }: ImportFile, mapping: Mapping): unknown[] {
  const columns = mapping.filter((field) => field !== null);
  return rows.map((row) => {
    const cells = mapping.flatMap((field, i) => (field === null ? [] : [normalize(field, row[i] ?? '')]));
    return readImportRow(columns, cells).key;
  });
}

/** Converts what other systems write to what the API expects. */
function normalize(field: ImportColumn, cell: string): string {
  if (field === 'expiresAt' || field === 'createdAt') return readTime(cell.trim());
  if (field === 'scopes' || field === 'allowedAddresses') return cell.replaceAll(/[,;|]/g, ' ');
  return cell;
}

/** Accepts what databases and spreadsheets write: a date, a date with a time (UTC without a zone), or epoch s or ms. */
function readTime(text: string): string {
  if (/^\d{9,14}$/.test(text)) {
    const number = Number(text);
    return new Date(text.length > 11 ? number : number * 1000).toISOString();
  }
  const [, day, time, zone] =
    /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?\s*(Z|UTC|[+-]\d\d(?::?\d\d)?)?$/.exec(text) ??
    [];
  if (day === undefined || !isDay(day)) return text;
  const at = new Date(`${day}T${time ?? '00:00'}${toZone(zone)}`);
  return Number.isNaN(at.getTime()) ? text : at.toISOString();
}

/** JavaScript takes February 31 for March 3. */
function isDay(day: string): boolean {
  const at = new Date(`${day}T00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(day);
}

/** PostgreSQL writes +02 for +02:00. */
function toZone(zone: string | undefined): string {
  if (zone === undefined || zone === 'Z' || zone === 'UTC') return 'Z';
  const [, hours, minutes = '00'] = /^([+-]\d\d):?(\d\d)?$/.exec(zone) ?? [];
  return `${hours}:${minutes}`;
}
