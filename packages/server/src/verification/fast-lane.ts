import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { ClientAddress } from '../http/client-address.ts';
import { dateField, onceASecond, type PreformattedResponse } from '../http/preformatted-response.ts';
import type { RequestCounts } from '../http/request-counts.ts';
import { nextRequestId } from '../http/request-ids.ts';
import { limitFields } from '../limits/fields.ts';
import type { LimitState } from '../limits/sliding-window.ts';
import { constantFields, forwardAuthAnswer, identityFields } from './answers.ts';
import type { VerifiedKey } from './known-secret.ts';
import { originalTargets } from './original-request.ts';
import { readFields } from './request-fields.ts';
import type { Verdict } from './verdict.ts';
import type { Verifier } from './verifier.ts';

/** Answers a request when it is of the kind that it knows, and says whether it did. */
export type FastLane = (request: IncomingMessage, response: PreformattedResponse) => boolean;

/** Longest URL that it takes, in characters; the framework refuses what is too long for anybody. */
const longestUrl = 1024;

/** Of every good answer up to the request id, with the date in it; made once a second. */
const goodStart = onceASecond((date) =>
  inOnePiece(`HTTP/1.1 204 No Content\r\n${date}${text(constantFields)}x-request-id: `),
);

/**
 * Answers `GET /v1/verify` ahead of the framework, whose way from a request to an answer costs more than all of
 * verifying. Only the usual form of the request is taken: HTTP/1.1 on a connection that stays open, one Host, no
 * body. All else goes the framework's way, which gives the same answers (a test holds the two together).
 *
 * @param isClosing whether the process is about to stop; the framework then closes the connections
 */
export function fastLane(
  verifier: Verifier,
  addressOf: ClientAddress,
  isClosing: () => boolean,
  requests: RequestCounts,
): FastLane {
  return (request, response) => {
    if (!isForwardAuth(request) || !response.canSend || isClosing()) return false;
    const fields = readFields(request.rawHeaders);
    if (fields.hosts !== 1) return false;
    const ask = { targets: originalTargets, address: addressOf(request) };
    const verdict = verifier.verifyFields(fields, request, ask);
    if (verdict instanceof Promise) void verdict.then((late) => requests.verified(answer(response, late)));
    else requests.verified(answer(response, verdict));
    return true;
  };
}

/** @returns the status */
function answer(response: PreformattedResponse, verdict: Verdict): number {
  const id = nextRequestId();
  const now = Date.now();
  if (verdict.refusal === undefined) {
    const { key, limit } = verdict;
    response.send(204, goodStart(now) + id + keyText(key, limit) + limitText(limit), '');
    return 204;
  }
  const { status, fields: sent, body } = forwardAuthAnswer(verdict, id, now);
  const length = `content-length: ${Buffer.byteLength(body)}\r\n`;
  const line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
  response.send(status, `${line}${text(sent)}${length}${dateField(now)}`, body);
  return status;
}

function isForwardAuth({ method, url = '', readableEnded }: IncomingMessage): boolean {
  if (method !== 'GET' || !url.startsWith('/v1/verify') || url.length > longestUrl) return false;
  // Only a request without a body is at its end already (the server's optimizeEmptyRequests).
  return (url.length === 10 || url[10] === '?') && readableEnded;
}

/** Fields as they stand in a response. They are made of ASCII that no client chose. */
function text(fields: Record<string, string>): string {
  let lines = '';
  for (const name in fields) lines += `${name}: ${fields[name]}\r\n`;
  return lines;
}

/** V8 keeps a joined text as a tree of its pieces, and would walk through it at each write. @param ascii a text */
function inOnePiece(ascii: string): string {
  return Buffer.from(ascii, 'latin1').toString('latin1');
}

/** Who the key is and what its limit is. Made once for each key that is remembered. */
function keyText(key: VerifiedKey, limit: LimitState | null): string {
  key.text ??= inOnePiece(`\r\n${text(identityFields(key))}${limit === null ? '' : text(unchanging(limit))}`);
  return key.text;
}

/** Of the fields of a limit those that are the same each time, and those that are not. */
function unchanging(limit: LimitState): Record<string, string> {
  const { 'ratelimit-policy': policy = '', 'x-ratelimit-limit': quota = '' } = limitFields(limit);
  return { 'ratelimit-policy': policy, 'x-ratelimit-limit': quota };
}

/** Joined by hand, each number written out once: half the cost of making an object of them first. */
function limitText(limit: LimitState | null): string {
  if (limit === null) return '';
  const remaining = String(limit.remaining);
  const reset = String(limit.resetSeconds);
  return `ratelimit: "${limit.policy}";r=${remaining};t=${reset}\r\nx-ratelimit-remaining: ${remaining}\r\nx-ratelimit-reset: ${reset}\r\n`;
}
