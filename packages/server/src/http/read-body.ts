import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/** Bodies that were read before the framework got the request. */
const kept = new WeakMap<IncomingMessage, Buffer>();

/**
 * Reads a body, whose length whoever calls this has bounded.
 *
 * @param done never called when the client leaves before the end
 */
export function readBody(request: IncomingMessage, done: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.once('end', () => done(Buffer.concat(chunks)));
}

/** Keeps a body that was read for the framework, which is to have the request after all. */
export function keepBody(request: IncomingMessage, body: Buffer): void {
  kept.set(request, body);
}

/** The body of a request that was read to its end, once more. */
export function bodyAgain(request: IncomingMessage): Readable {
  const body = kept.get(request);
  return Readable.from(body === undefined ? [] : [body]);
}
