import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { type AddressHeader, createClientAddress } from '../../packages/server/src/http/client-address.ts';

/** The proxies that `clientOf` trusts. */
export const trusted = ['127.0.0.1', '::1', '10.0.0.0/8', 'fd00::/8', '::ffff:192.168.0.0/112'];

/** A request with only a peer address and header fields. */
export function requestFrom(peer: string | undefined, rawHeaders: string[] = []): IncomingMessage {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: peer });
  const request = new IncomingMessage(socket);
  request.rawHeaders = rawHeaders;
  return request;
}

/** The client of a request that a proxy on this machine forwarded with these values of the header. */
export function clientOf(header: AddressHeader, ...values: string[]): string {
  const fields = values.flatMap((value) => ['Accept', '*/*', header.toUpperCase(), value]);
  return createClientAddress(trusted, header)(requestFrom('127.0.0.1', fields));
}
