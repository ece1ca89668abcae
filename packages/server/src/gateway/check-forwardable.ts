import type { IncomingMessage } from 'node:http';
import { checkRequestForm } from '../http/broken-requests.ts';
import type { ApiProblem } from '../http/errors.ts';
import { hasUnambiguousLength } from './rejection.ts';

/**
 * Rejects requests that are malformed, or that cannot be forwarded unambiguously.
 *
 * @param hosts number of Host fields
 * @returns the rejection, or null if the request may be forwarded
 */
export function checkForwardable(request: IncomingMessage, hosts: number): ApiProblem | null {
  const { headers, httpVersion, method } = request;
  // The response would contain the fields that the gateway adds (RFC 9110 section 9.3.8).
  if (method === 'TRACE') return methodNotForwarded(method);
  const malformed = checkRequestForm(request, hosts);
  if (malformed !== null) return malformed;
  const coding = headers['transfer-encoding'];
  // RFC 9112 section 6.1. A second coding would be lost, and with it the meaning of the body.
  if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || httpVersion !== '1.1')) {
    return invalid('Unsupported transfer coding. The gateway forwards only "chunked", in HTTP/1.1.');
  }
  if (!hasUnambiguousLength(request)) {
    return invalid('Content-Length must be a single decimal number without leading zeros.');
  }
  if (requestsWebSocket(request)) {
    return invalid('The gateway does not support WebSocket connections. Send a plain HTTP request.');
  }
  return null;
}

/**
 * RFC 9110 section 7.8 lets a server ignore an offer to switch protocols, and many clients send one with every request
 * (`h2c`, `TLS/1.2`). A WebSocket client cannot continue without the switch (RFC 6455 section 4.1), so it is rejected.
 */
function requestsWebSocket({ headers: { connection = '', upgrade } }: IncomingMessage): boolean {
  if (upgrade === undefined) return false;
  return elements(connection).includes('upgrade') && elements(upgrade).includes('websocket');
}

function elements(list: string): string[] {
  return list.split(',').map((element) => element.trim().toLowerCase());
}

/** The rejection of a method that is not forwarded. */
export function methodNotForwarded(method: 'CONNECT' | 'TRACE'): ApiProblem {
  return {
    code: 'method_not_allowed',
    message: `The gateway does not forward ${method} requests. Use a method of the Allow header.`,
    // RFC 9110 section 15.5.6 requires a list. The methods that the API itself allows are unknown here.
    headers: { allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS' },
  };
}

function invalid(message: string): ApiProblem {
  return { code: 'invalid_request', message };
}
