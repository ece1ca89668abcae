/**
 * The one way to the server. Every answer is parsed with its schema, so a page never sees a shape that it does not
 * expect, and every failure is an ApiError with a code.
 */
import { errorSchema } from '@soku/contract/errors';
import { z } from 'zod';

/** Codes of failures that have no answer of the server behind them. */
type LocalCode = 'offline' | 'unreachable' | 'unexpected_answer';

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
  /** 0 when no answer came. */
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

/** The auth library answers its own shape. */
const authErrorSchema = z.object({ code: z.string().optional(), message: z.string() });

export interface Call<Schema extends z.ZodType> {
  answer: Schema;
  method?: 'GET' | 'POST' | 'PATCH';
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export async function callApi<Schema extends z.ZodType>(
  path: string,
  call: Call<Schema>,
): Promise<z.infer<Schema>> {
  const response = await send(path, call);
  const body = await readJson(response);
  if (!response.ok) throw failureOf(response, body);
  const answer = call.answer.safeParse(body);
  if (answer.success) return answer.data;
  throw new ApiError({
    status: response.status,
    code: 'unexpected_answer' satisfies LocalCode,
    message: 'The server answered something that this page does not understand. Reload the page.',
    requestId: response.headers.get('x-request-id') ?? undefined,
  });
}

/** Milliseconds. A call that hangs must end, because the dialog that waits for it cannot be closed until then. */
const patience = 30_000;

async function send(path: string, call: Call<z.ZodType>): Promise<Response> {
  const body = call.body === undefined ? {} : { body: JSON.stringify(call.body) };
  const type = call.body === undefined ? {} : { 'content-type': 'application/json' };
  try {
    return await fetch(path, {
      method: call.method ?? 'GET',
      headers: { accept: 'application/json', ...type, ...call.headers },
      credentials: 'same-origin',
      cache: 'no-store',
      ...body,
      signal: AbortSignal.any([AbortSignal.timeout(patience), ...(call.signal ? [call.signal] : [])]),
    });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw unreachable();
  }
}

export function unreachable(): ApiError {
  return navigator.onLine
    ? new ApiError({
        status: 0,
        code: 'unreachable' satisfies LocalCode,
        message: 'The server did not answer. Check that it runs and that you can reach it, then try again.',
      })
    : new ApiError({
        status: 0,
        code: 'offline' satisfies LocalCode,
        message: 'You are offline. Try again when the connection is back.',
      });
}

async function readJson(response: Response): Promise<unknown> {
  try {
    const text = await response.text();
    return text === '' ? null : JSON.parse(text);
  } catch (cause) {
    // A body that breaks off is a lost answer, not a wrong one.
    if (cause instanceof SyntaxError) return undefined;
    throw unreachable();
  }
}

function failureOf(response: Response, body: unknown): ApiError {
  const retryAfter = secondsOf(response.headers);
  const requestId = response.headers.get('x-request-id') ?? undefined;
  const own = errorSchema.safeParse(body);
  if (own.success) return new ApiError({ status: response.status, retryAfter, ...own.data.error });
  const auth = authErrorSchema.safeParse(body);
  const code = auth.data?.code ?? 'unexpected_answer';
  const message = auth.data?.message ?? `The server answered ${response.status} and gave no reason.`;
  return new ApiError({ status: response.status, retryAfter, requestId, code, message });
}

function secondsOf(headers: Headers): number | undefined {
  const value = Number(headers.get('x-retry-after') ?? headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(value) ? Math.max(1, Math.ceil(value)) : undefined;
}

/** The last is the auth library's word for it. */
const sessionOverCodes = ['session_over', 'missing_authorization', 'UNAUTHORIZED'];

export function isSessionOver(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401 && sessionOverCodes.includes(error.code);
}

/** Nothing came back, or nothing whole, so nobody knows what the call has done. */
export function isAnswerLost(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  return error.status === 0 || (error.status < 300 && error.code === 'unexpected_answer');
}
