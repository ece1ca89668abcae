import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/** Bodies that were read before the framework received the request. */
const kept = new WeakMap<IncomingMessage, Buffer>();

/**
 * Reads a body. The caller must have limited its length.
 *
 * @param done never called when the client disconnects before the end
 */
export function readBody(request: IncomingMessage, done: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.once('end', () => done(Buffer.concat(chunks)));
}

/** Stores a body that was already read, for a request that is passed to the framework. */
export function storeBody(request: IncomingMessage, body: Buffer): void {
  kept.set(request, body);
}

/** A stream of the body of a request that was already read. */
export function replayBody(request: IncomingMessage): Readable {
  const body = kept.get(request);
  return Readable.from(body === undefined ? [] : [body]);
}
