import { cachedPerSecond, dateField } from '../http/preformatted-response.ts';
import { windowSeconds } from '../limits/fields.ts';
import type { LimitState } from '../limits/sliding-window.ts';
import { nodeHttp } from '../node-http.ts';
import type { KeyTable } from './key-table.ts';
import { commonFields } from './responses.ts';

/** Formats response heads as single strings for `PreformattedResponse.send`. They are ASCII, without client input. */

/** The start of every response that accepts a key, up to the request ID. Rebuilt once per second. */
const acceptedStarts = {
  204: cachedPerSecond((date) =>
    flatten(`HTTP/1.1 204 No Content\r\n${date}${text(commonFields)}x-request-id: `),
  ),
  200: cachedPerSecond((date) =>
    flatten(`HTTP/1.1 200 OK\r\n${date}content-length: 0\r\n${text(commonFields)}x-request-id: `),
  ),
};

const liveFields = '\r\nx-soku-environment: live\r\nx-soku-external-id: ';
const testFields = '\r\nx-soku-environment: test\r\nx-soku-external-id: ';

/**
 * The header fields that identify an accepted key to the API behind the proxy, and its rate-limit state. The values are
 * ASCII without list delimiters.
 *
 * @param limit null if the key has no limit
 */
export function formatKeyFields(keys: KeyTable, row: number, limit: LimitState | null): string {
  const [id, name] = keys.texts.idAndName(row);
  const key = `x-soku-key-id: ${id}\r\nx-soku-key-name: ${name}\r\nx-soku-workspace-id: ${keys.workspaceId(row)}`;
  const environment = keys.details.environment(row) === 'test' ? testFields : liveFields;
  // Always sent, so that a proxy replaces a field that the client sent.
  const externalId = keys.details.externalId(row);
  const encoded = externalId === '' ? '' : encodeURIComponent(externalId);
  return `${key}\r\nx-soku-scopes: ${keys.scopes(row)}${environment}${encoded}\r\n${formatLimitFields(limit)}`;
}

/** The head of a response that accepts a key. @param fields lines of header fields. @param now epoch ms */
export function formatAcceptedHead(
  status: 200 | 204,
  fields: string,
  requestId: string,
  now: number,
): string {
  return `${acceptedStarts[status](now)}${requestId}\r\n${fields}`;
}

/** The same fields as an object, for `response.writeHead`. @param fields lines of header fields */
export function acceptedFields(fields: string, requestId: string): Record<string, string> {
  const all: Record<string, string> = { ...commonFields, 'x-request-id': requestId };
  for (const line of fields.split('\r\n')) {
    const end = line.indexOf(': ');
    if (end > 0) all[line.slice(0, end)] = line.slice(end + 2);
  }
  return all;
}

/** The head of any other response. @param now epoch ms */
export function formatHead(status: number, fields: Record<string, string>, now: number): string {
  return `HTTP/1.1 ${status} ${nodeHttp.STATUS_CODES[status] ?? ''}\r\n${text(fields)}${dateField(now)}`;
}

function text(fields: Record<string, string>): string {
  let lines = '';
  for (const name in fields) lines += `${name}: ${fields[name]}\r\n`;
  return lines;
}

/** Flattens a concatenated string, which V8 keeps as a tree of parts that it would traverse at each write. */
function flatten(ascii: string): string {
  return Buffer.from(ascii, 'latin1').toString('latin1');
}

/** The rate-limit fields as text. Direct concatenation costs half as much as building an object first. */
export function formatLimitFields(limit: LimitState | null): string {
  if (limit === null) return '';
  const { remaining, resetSeconds } = limit;
  return `${quotaFields(limit)}${remaining};t=${resetSeconds}\r\nx-ratelimit-remaining: ${remaining}\r\nx-ratelimit-reset: ${resetSeconds}\r\n`;
}

let lastQuota = { limit: 0, policy: '', text: '' };

/** The fields up to the remaining requests. They are the same for most keys, so the last ones are kept. */
function quotaFields({ limit, policy }: LimitState): string {
  if (lastQuota.limit !== limit || lastQuota.policy !== policy) {
    const fields = `ratelimit-policy: "${policy}";q=${limit};w=${windowSeconds}\r\nx-ratelimit-limit: ${limit}\r\n`;
    lastQuota = { limit, policy, text: flatten(`${fields}ratelimit: "${policy}";r=`) };
  }
  return lastQuota.text;
}
