import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createdKeySchema } from '@soku/contract/keys';
import { HttpSocket, type RawResponse } from '../support/http-socket.ts';
import type { TestServer } from '../support/server.ts';
import { findKeyIn, needlesOf } from './key-search.ts';

interface Place {
  name: string;
  bytes: Buffer;
}

/** Sends requests byte by byte as told, and keeps everything that came back, to be searched for keys. */
export class LeakHunt {
  readonly keys: string[] = [];
  readonly #seen: Place[] = [];

  /** One request on a connection of its own. It may be no HTTP at all. */
  async send(server: TestServer, request: string): Promise<RawResponse> {
    const socket = await HttpSocket.open(server.url);
    try {
      const answer = await socket.send(request, request.startsWith('HEAD '));
      this.#seen.push({ name: `the answer to ${request.split('\r\n', 1)[0]}`, bytes: answer.bytes });
      return answer;
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

  /** Makes a key. Its own answer is the one place that may hold it, and holds it once. */
  async create(
    server: TestServer,
    headers: Record<string, string>,
    body: string,
  ): Promise<{ apiKey: string; id: string }> {
    const socket = await HttpSocket.open(server.url);
    try {
      const answer = await socket.send(requestText('POST', '/v1/api-keys', { headers, body }));
      if (answer.status !== 201) throw new Error(`creating was answered ${answer.status}: ${answer.body}`);
      const { apiKey, key } = createdKeySchema.parse(JSON.parse(answer.body));
      this.keys.push(apiKey);
      const rest = answer.bytes.toString('latin1').replace(apiKey, '');
      this.#seen.push({
        name: `the rest of the answer that made ${key.id}`,
        bytes: Buffer.from(rest, 'latin1'),
      });
      return { apiKey, id: key.id };
    } finally {
      socket.close();
    }
  }

  /** Reads every file of a data directory as it is now. */
  lookAtFiles(directory: string): void {
    for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      this.#seen.push({
        name: `the file ${entry.name}`,
        bytes: readFileSync(join(entry.parentPath, entry.name)),
      });
    }
  }

  lookAtOutput(server: TestServer): void {
    this.#seen.push({ name: 'the output', bytes: Buffer.from(server.output) });
  }

  lookAtText(name: string, text: string): void {
    this.#seen.push({ name, bytes: Buffer.from(text) });
  }

  /** How many bytes were looked at. */
  get size(): number {
    return this.#seen.reduce((sum, place) => sum + place.bytes.length, 0);
  }

  /** Where any of the keys stands: one line for each. */
  leaks(): string[] {
    const whole = Buffer.concat(this.#seen.map((place) => place.bytes));
    return this.keys.flatMap((key, i) => {
      const needles = needlesOf(key);
      // One pass over everything is fast; which place it was matters only when there is one.
      if (findKeyIn(whole, needles).length === 0) return [];
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
