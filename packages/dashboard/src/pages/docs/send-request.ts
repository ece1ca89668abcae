/** Sends the request of "Try it" as a program would: with the key in one header, and without the session. */
import { errorSchema } from '@soku/contract/errors';
import { createUnreachableError } from '../../api/client.ts';
import type { Operation } from '../../api/openapi.ts';
import { withBasePath } from '../../base-path.ts';

export interface TriedResponse {
  ok: boolean;
  /** For example "200 OK". */
  status: string;
  milliseconds: number;
  headers: [name: string, value: string][];
  body: string;
  /** Whether the body is longer than what is shown. */
  isCut: boolean;
  /** The error code, if the request was rejected. */
  code: string | null;
}

/** In characters. An export of the audit log may be larger than what a page can show. */
const maxBody = 100_000;
/** Milliseconds. */
const timeout = 30_000;

const shownHeaders =
  /^(content-type|retry-after|www-authenticate|x-request-id|ratelimit|ratelimit-policy|x-ratelimit-.*|x-soku-(?!error).*)$/;

/** @param values the values of the parameters by name; empty ones are left out */
export function pathOf({ path, parameters }: Operation, values: Record<string, string>): string {
  let filled = path;
  const query = new URLSearchParams();
  for (const { name, in: place } of parameters) {
    const value = values[name] ?? '';
    if (place === 'path') filled = filled.replace(`{${name}}`, encodeURIComponent(value));
    if (place === 'query' && value !== '') query.set(name, value);
  }
  return query.size === 0 ? filled : `${filled}?${query}`;
}

/** @throws {ApiError} if there is no response */
export async function sendRequest(path: string, apiKey: string, signal: AbortSignal): Promise<TriedResponse> {
  const start = performance.now();
  try {
    const response = await fetch(withBasePath(path), {
      headers: apiKey === '' ? {} : { authorization: `Bearer ${apiKey}` },
      credentials: 'omit',
      cache: 'no-store',
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
    });
    const { text, isCut } = await readStart(response);
    const json = isCut ? undefined : parseJson(text);
    return {
      ok: response.ok,
      status: `${response.status} ${response.statusText}`.trim(),
      milliseconds: Math.round(performance.now() - start),
      headers: [...response.headers].filter(([name]) => shownHeaders.test(name)),
      body: json === undefined ? text : JSON.stringify(json, null, 2),
      isCut,
      code: errorSchema.safeParse(json).data?.error.code ?? null,
    };
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw createUnreachableError();
  }
}

async function readStart(response: Response): Promise<{ text: string; isCut: boolean }> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  while (reader && text.length <= maxBody) {
    const { done, value } = await reader.read();
    if (done) return { text: text + decoder.decode(), isCut: false };
    text += decoder.decode(value, { stream: true });
  }
  await reader?.cancel();
  return { text: text.slice(0, maxBody), isCut: text.length > maxBody };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
