import { redactKeys } from '@soku/key';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { rethrowUnavailable } from '../database/unavailable.ts';
import { type Auth, addressHeader } from './auth.ts';

/**
 * The client's headers for the auth library, with the verified address instead of a claimed one.
 *
 * @param address the client's address, or `unknownClient`, for which the library counts the sign-ins of all unknown
 *   clients together
 */
export function authHeaders(request: FastifyRequest, address: string): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (typeof value === 'string' && name !== 'content-length' && name !== 'transfer-encoding') {
      headers.set(name, value);
    }
  }
  headers.set('content-type', 'application/json');
  headers.set(addressHeader, address);
  // The library stores this header with the session, and returns it.
  headers.set('user-agent', redactKeys(headers.get('user-agent') ?? ''));
  return headers;
}

/**
 * Calls the auth library.
 *
 * @param headers created by `authHeaders`
 * @param path below /api/auth
 * @param body the part of the request body to forward
 */
export async function callAuth(
  auth: Auth,
  headers: Headers,
  { method, path }: { method: 'GET' | 'POST'; path: string },
  body?: unknown,
): Promise<Response> {
  const { baseURL } = await auth.$context;
  const forwarded = new Request(`${baseURL}${path}`, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return rethrowUnavailable(() => auth.handler(forwarded));
}

/**
 * Sends the auth library's response: status, cookies and body.
 *
 * @throws on an internal error of the library, whose response is empty, so that ours has the error envelope
 */
export async function sendAuthResponse(reply: FastifyReply, response: Response): Promise<FastifyReply> {
  if (response.status >= 500) throw new Error(`the auth library returned status ${response.status}`);
  reply.code(response.status).header('cache-control', 'no-store');
  for (const [name, value] of response.headers) {
    if (name !== 'set-cookie' && name !== 'content-length') reply.header(name, value);
  }
  copyCookies(reply, response.headers);
  const body = await response.text();
  return reply.type('application/json; charset=utf-8').send(body === '' ? 'null' : body);
}

/** Keeps each cookie in its own header field, because joining them with commas would break their dates. */
export function copyCookies(reply: FastifyReply, headers: Headers): void {
  const cookies = headers.getSetCookie();
  if (cookies.length > 0) reply.header('set-cookie', cookies);
}
