/**
 * The HTTP client that all pages use. Every response is parsed with its schema, so a page never sees a shape that it
 * does not expect, and every failure is an ApiError with a code.
 */
import { errorSchema } from '@soku/contract/errors';
import { z } from 'zod';
import { withBasePath } from '../base-path.ts';

/** Codes of failures that the client detects itself. */
type LocalCode = 'offline' | 'unreachable' | 'unexpected_response';

export interface FieldProblem {
  path: string;
  problem: string;
  keyId?: string | undefined;
}

interface Failure {
  status: number;
  code: string;
  message: string;
  requestId?: string | undefined;
  details?: FieldProblem[] | undefined;
  retryAfter?: number | undefined;
}

export class ApiError extends Error {
  /** 0 if there was no response. */
  readonly status: number;
  readonly code: string;
  readonly requestId: string | undefined;
  readonly details: FieldProblem[];
  /** Seconds. */
  readonly retryAfter: number | undefined;

  constructor(failure: Failure) {
    super(failure.message);
    this.name = 'ApiError';
    this.status = failure.status;
    this.code = failure.code;
    this.requestId = failure.requestId;
    this.details = failure.details ?? [];
    this.retryAfter = failure.retryAfter;
  }
}

/** The auth library's own error format. */
const authErrorSchema = z.object({ code: z.string().optional(), message: z.string() });

export interface ApiCall<Schema extends z.ZodType> {
  schema: Schema;
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** In ms. */
  timeout?: number;
}

export async function callApi<Schema extends z.ZodType>(
  path: string,
  call: ApiCall<Schema>,
): Promise<z.infer<Schema>> {
  const response = await send(path, call);
  const body = await readJson(response);
  if (!response.ok) throw failureOf(response, body);
  const parsed = call.schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new ApiError({
    status: response.status,
    code: 'unexpected_response' satisfies LocalCode,
    message: 'The server sent an unexpected response. Reload the page.',
    requestId: response.headers.get('x-request-id') ?? undefined,
  });
}

/** Milliseconds. Requests must time out, because a dialog that waits for one cannot be closed. */
const requestTimeout = 30_000;

async function send(path: string, call: ApiCall<z.ZodType>): Promise<Response> {
  const body = call.body === undefined ? {} : { body: JSON.stringify(call.body) };
  const type = call.body === undefined ? {} : { 'content-type': 'application/json' };
  try {
    return await fetch(withBasePath(path), {
      method: call.method ?? 'GET',
      headers: { accept: 'application/json', ...type, ...call.headers },
      credentials: 'same-origin',
      cache: 'no-store',
      ...body,
      signal: AbortSignal.any([
        AbortSignal.timeout(call.timeout ?? requestTimeout),
        ...(call.signal ? [call.signal] : []),
      ]),
    });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw createUnreachableError();
  }
}

export function createUnreachableError(): ApiError {
  return navigator.onLine
    ? new ApiError({
        status: 0,
        code: 'unreachable' satisfies LocalCode,
        message: 'The server did not respond. Check that it is running and reachable, then try again.',
      })
    : new ApiError({
        status: 0,
        code: 'offline' satisfies LocalCode,
        message: 'You are offline. Try again when you are back online.',
      });
}

async function readJson(response: Response): Promise<unknown> {
  try {
    const text = await response.text();
    return text === '' ? null : JSON.parse(text);
  } catch (cause) {
    // A truncated body is a lost response, not an invalid one.
    if (cause instanceof SyntaxError) return undefined;
    throw createUnreachableError();
  }
}

function failureOf(response: Response, body: unknown): ApiError {
  const retryAfter = secondsOf(response.headers);
  const requestId = response.headers.get('x-request-id') ?? undefined;
  const own = errorSchema.safeParse(body);
  if (own.success) return new ApiError({ status: response.status, retryAfter, ...own.data.error });
  const auth = authErrorSchema.safeParse(body);
  const code = auth.data?.code ?? 'unexpected_response';
  const message = auth.data?.message ?? `The server responded with ${response.status} and gave no reason.`;
  return new ApiError({ status: response.status, retryAfter, requestId, code, message });
}

function secondsOf(headers: Headers): number | undefined {
  const value = Number(headers.get('x-retry-after') ?? headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(value) ? Math.max(1, Math.ceil(value)) : undefined;
}

/** The last one is the auth library's code. */
const sessionEndedCodes = ['session_over', 'missing_authorization', 'UNAUTHORIZED'];

export function isSessionEnded(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401 && sessionEndedCodes.includes(error.code);
}

/** There was no complete response, so it is unknown whether the request took effect. */
export function isResponseLost(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  return error.status === 0 || (error.status < 300 && error.code === 'unexpected_response');
}
