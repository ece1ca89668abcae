import type { IncomingMessage } from 'node:http';
import { limits } from '../http/broken-requests.ts';
import type { Refusal } from '../http/errors.ts';
import { readFields } from '../verification/request-fields.ts';

/**
 * What is well-formed HTTP, but cannot be passed on without its meaning being left to chance.
 *
 * @returns the refusal, or null when the request may go on
 */
export function checkForm(request: IncomingMessage): Refusal | null {
  const { headers, httpVersion, rawHeaders, url = '' } = request;
  if (url.length > limits.url) return invalid(`The URL is longer than ${limits.url} bytes.`);
  // RFC 9112 section 3.2.
  const { hosts } = readFields(rawHeaders);
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) {
    return invalid('The request must have one Host header.');
  }
  const coding = headers['transfer-encoding'];
  // RFC 9112 section 6.1. A second coding would be lost on the way, and with it what the body is.
  if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || httpVersion !== '1.1')) {
    return invalid('The only transfer coding that is passed on is "chunked", in HTTP/1.1.');
  }
  // Some clients offer HTTP/2 with every request; RFC 9110 section 7.8 lets a server pass over an offer.
  const { upgrade } = headers;
  if (upgrade !== undefined && upgrade.toLowerCase() !== 'h2c') {
    return invalid('Upgrades, such as to WebSocket, are not passed on. Send a plain HTTP request.');
  }
  return null;
}

function invalid(message: string): Refusal {
  return { code: 'invalid_request', message };
}
