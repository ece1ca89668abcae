import { STATUS_CODES } from 'node:http';
import { dateField, onceASecond } from '../http/preformatted-response.ts';
import { limitFields } from '../limits/fields.ts';
import type { LimitState } from '../limits/sliding-window.ts';
import { constantFields, identityFields } from './answers.ts';
import type { VerifiedKey } from './known-secret.ts';

/** Heads of responses as one text, for `PreformattedResponse.send`. They are made of ASCII that no client chose. */

/** Of every response that accepts a key, up to the request id; made once a second. */
const acceptedStarts = {
  204: onceASecond((date) =>
    inOnePiece(`HTTP/1.1 204 No Content\r\n${date}${text(constantFields)}x-request-id: `),
  ),
  200: onceASecond((date) =>
    inOnePiece(`HTTP/1.1 200 OK\r\n${date}content-length: 0\r\n${text(constantFields)}x-request-id: `),
  ),
};

/** The head of a response that accepts a key: the fields of `forwardAuthAnswer`. @param now epoch ms */
export function acceptedHead(
  status: 200 | 204,
  key: VerifiedKey,
  limit: LimitState | null,
  requestId: string,
  now: number,
): string {
  return acceptedStarts[status](now) + requestId + keyText(key, limit) + limitText(limit);
}

/** The head of any other response. @param now epoch ms */
export function headOf(status: number, fields: Record<string, string>, now: number): string {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${text(fields)}${dateField(now)}`;
}

function text(fields: Record<string, string>): string {
  let lines = '';
  for (const name in fields) lines += `${name}: ${fields[name]}\r\n`;
  return lines;
}

/** V8 keeps a joined text as a tree of its pieces, and would walk through it at each write. @param ascii a text */
function inOnePiece(ascii: string): string {
  return Buffer.from(ascii, 'latin1').toString('latin1');
}

/** Who the key is and what its limit is. Made once for each key that is cached. */
function keyText(key: VerifiedKey, limit: LimitState | null): string {
  key.text ??= inOnePiece(`\r\n${text(identityFields(key))}${limit === null ? '' : text(unchanging(limit))}`);
  return key.text;
}

/** Of the fields of a limit those that are the same each time. */
function unchanging(limit: LimitState): Record<string, string> {
  const { 'ratelimit-policy': policy = '', 'x-ratelimit-limit': quota = '' } = limitFields(limit);
  return { 'ratelimit-policy': policy, 'x-ratelimit-limit': quota };
}

/** The others. Joined by hand, each number written out once: half the cost of making an object of them first. */
function limitText(limit: LimitState | null): string {
  if (limit === null) return '';
  const remaining = String(limit.remaining);
  const reset = String(limit.resetSeconds);
  return `ratelimit: "${limit.policy}";r=${remaining};t=${reset}\r\nx-ratelimit-remaining: ${remaining}\r\nx-ratelimit-reset: ${reset}\r\n`;
}
