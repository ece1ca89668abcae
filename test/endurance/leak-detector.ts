import { basename } from 'node:path';
import { createdKeySchema } from '@soku/contract/keys';
import { HttpSocket, type RawResponse } from '../support/http-socket.ts';
import { readFiles } from '../support/read-files.ts';
import type { TestServer } from '../support/server.ts';
import { findKeyIn, needlesOf } from './key-search.ts';

interface Place {
  name: string;
  bytes: Buffer;
}

/** Sends raw requests, and collects responses, files and output in order to search them for keys. */
export class LeakDetector {
  readonly keys: string[] = [];
  readonly #seen: Place[] = [];

  /** Sends one request, which need not be valid HTTP, on a separate connection. */
  async send(server: TestServer, request: string): Promise<RawResponse> {
    const socket = await HttpSocket.open(server.url);
    try {
      const response = await socket.send(request, request.startsWith('HEAD '));
      this.#seen.push({ name: `the response to ${request.split('\r\n', 1)[0]}`, bytes: response.bytes });
      return response;
    } finally {
      socket.close();
    }
  }

  async call(
    server: TestServer,
    method: string,
    path: string,
    options: { headers?: Record<string, string>; body?: string } = {},
  ): Promise<RawResponse> {
    return this.send(server, requestText(method, path, options));
  }

  /** Creates or rotates a key. Only this response may contain the key, and only once. */
  async create(
    server: TestServer,
    headers: Record<string, string>,
    body: string,
    path = '/v1/api-keys',
  ): Promise<{ apiKey: string; id: string }> {
    const socket = await HttpSocket.open(server.url);
    try {
      const response = await socket.send(requestText('POST', path, { headers, body }));
      if (response.status !== 201)
        throw new Error(`the creation returned ${response.status}: ${response.body}`);
      const { apiKey, key } = createdKeySchema.parse(JSON.parse(response.body));
      this.keys.push(apiKey);
      const rest = response.bytes.toString('latin1').replace(apiKey, '');
      this.#seen.push({
        name: `the rest of the response that created ${key.id}`,
        bytes: Buffer.from(rest, 'latin1'),
      });
      return { apiKey, id: key.id };
    } finally {
      socket.close();
    }
  }

  /** Adds the current content of every file of a data directory. */
  addFiles(directory: string): void {
    for (const { path, content } of readFiles(directory)) {
      this.#seen.push({ name: `the file ${basename(path)}`, bytes: content });
    }
  }

  addOutput(server: TestServer): void {
    this.#seen.push({ name: 'the output', bytes: Buffer.from(server.output) });
  }

  addText(name: string, text: string): void {
    this.#seen.push({ name, bytes: Buffer.from(text) });
  }

  /** Number of collected bytes. */
  get size(): number {
    return this.#seen.reduce((sum, place) => sum + place.bytes.length, 0);
  }

  /** One line for each place where a key occurs. */
  leaks(): string[] {
    // One pass over everything for all keys is fast; the key and the place matter only if there is a leak.
    const whole = Buffer.concat(this.#seen.map((place) => place.bytes));
    if (findKeyIn(whole, this.keys.flatMap(needlesOf)).length === 0) return [];
    return this.keys.flatMap((key, i) => {
      const needles = needlesOf(key);
      return this.#seen.flatMap(({ name, bytes }) =>
        findKeyIn(bytes, needles).map(
          (encoding) => `key ${i} as ${encoding} in ${name.replaceAll(key, '<key>')}`,
        ),
      );
    });
  }
}

export function requestText(
  method: string,
  path: string,
  { headers = {}, body = '' }: { headers?: Record<string, string>; body?: string } = {},
): string {
  const fields = { Host: 'localhost', 'Content-Length': String(Buffer.byteLength(body)), ...headers };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}
