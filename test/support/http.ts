import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { HttpResponse } from './person.ts';

/** Header fields in wire order; names may repeat. */
export type Fields = readonly (readonly [name: string, value: string])[];

/**
 * An HTTP call with exactly these header fields (fetch joins duplicates and normalizes values). Each character of a
 * value is one byte; `latin1(...)` converts from UTF-8. `from` is the local address: all of 127.0.0.0/8
 * belong to this machine.
 */
export async function callWithFields(
  url: string,
  options: { method?: string; fields?: Fields; body?: string | Uint8Array; from?: string } = {},
): Promise<HttpResponse> {
  const { method = 'GET', fields = [], body, from } = options;
  const { hostname, port, host, origin } = new URL(url);
  const bodyless = body === undefined && ['GET', 'HEAD', 'OPTIONS'].includes(method);
  const length: Fields = bodyless ? [] : [['Content-Length', String(Buffer.byteLength(body ?? ''))]];
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const outgoing = request({
    hostname,
    port,
    method,
    ...(from === undefined ? {} : { localAddress: from, family: 4 }),
    // Not url.pathname: the URL parser would normalize deliberately malformed paths.
    path: url.slice(origin.length) || '/',
    headers: [['Host', host] as const, ...fields, ...length].flat(),
  });
  outgoing.once('response', resolve).once('error', reject).end(body);
  return readResponse(await promise);
}

async function readResponse(response: IncomingMessage): Promise<HttpResponse> {
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(response.headersDistinct)) {
    for (const value of values) headers.append(name, value);
  }
  const body = await text(response);
  const json = /json\b/.test(headers.get('content-type') ?? '') && body !== '';
  return { status: response.statusCode ?? 0, headers, body: json ? JSON.parse(body) : body, text: body };
}

/** Converts a text to the characters that a client with UTF-8 header fields sends. */
export function toLatin1(utf8: string): string {
  return Buffer.from(utf8, 'utf8').toString('latin1');
}
