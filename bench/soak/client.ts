import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { testTimeoutMs } from '../../test/support/test-timeout.ts';

/** The parts of a response that the soak checks. */
export interface SoakResponse {
  /** `204`, or `401 revoked_key`; `no response: ...` if there was none. */
  outcome: string;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

export interface SoakRequest {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: unknown;
}

const errorSchema = z.object({ error: z.object({ code: z.string() }) });

/** Makes calls over keep-alive connections. Never throws, because a lost response is counted like any other outcome. */
export class SoakClient {
  readonly #url: URL;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  /** @param url origin */
  constructor(url: string) {
    this.#url = new URL(url);
  }

  async call({ method = 'GET', path, headers = {}, body }: SoakRequest): Promise<SoakResponse> {
    const { hostname, port } = this.#url;
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const type = payload === undefined ? {} : { 'content-type': 'application/json' };
    const signal = AbortSignal.timeout(testTimeoutMs);
    const all = { ...type, ...headers };
    try {
      const { promise, resolve, reject } = Promise.withResolvers<SoakResponse>();
      request({ hostname, port, method, path, headers: all, agent: this.#agent, signal }, (response) => {
        text(response).then((read) => {
          const status = response.statusCode ?? 0;
          resolve({
            outcome: [status, ...codeOf(status, read)].join(' '),
            headers: response.headers,
            body: read,
          });
        }, reject);
      })
        .once('error', reject)
        .end(payload);
      return await promise;
    } catch (error) {
      return {
        outcome: `no response: ${error instanceof Error ? error.message : error}`,
        headers: {},
        body: '',
      };
    }
  }

  close(): void {
    this.#agent.destroy();
  }
}

function codeOf(status: number, body: string): string[] {
  if (status < 400) return [];
  try {
    return [errorSchema.parse(JSON.parse(body)).error.code];
  } catch {
    return ['without a code'];
  }
}
