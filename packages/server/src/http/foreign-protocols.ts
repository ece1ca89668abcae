import type { Duplex } from 'node:stream';
import type { FastifyBaseLogger } from 'fastify';
import { throttle } from './logging.ts';

/** A protocol that a client or proxy was set up to speak on a port for HTTP/1.1. */
interface ForeignProtocol {
  name: string;
  /** What the operator must change. */
  advice: string;
  /** The reason that the client gets. */
  message: string;
  /** Sent instead of an HTTP/1.1 response, which these clients cannot read. */
  response?: Buffer;
}

/**
 * ms between two log lines about one protocol: a proxy speaks it with each request, and scanners of the internet send
 * TLS to every port.
 */
const interval = 600_000;

const onlyHttp1 = 'This port speaks HTTP/1.1 only.';

/**
 * HTTP/2 with prior knowledge (RFC 9113 section 3.3). The response is an empty SETTINGS frame, which must come first, and
 * GOAWAY with HTTP_1_1_REQUIRED (13) and a last stream of 0, so the client knows that no request was handled.
 */
const http2: ForeignProtocol = {
  name: 'HTTP/2',
  advice: 'configure the client or proxy to use HTTP/1.1 for this port',
  message: onlyHttp1,
  response: Buffer.concat([
    http2Frame(4),
    http2Frame(7, Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 0, 0, 13]), Buffer.from(onlyHttp1)])),
  ]),
};

const tls: ForeignProtocol = {
  name: 'TLS',
  advice: 'use http:// in the URL of this port, or put a proxy with a certificate in front of it',
  message: 'This port speaks HTTP without TLS.',
};

const proxyProtocol: ForeignProtocol = {
  name: 'the PROXY protocol',
  advice: 'turn it off in the proxy, and let the proxy name the client in a header (TRUST_PROXY)',
  message: 'This port does not read the PROXY protocol.',
};

/** The first bytes of each. A TLS record starts with its type (handshake) and the major version. */
const beginnings: [string, ForeignProtocol][] = [
  ['PRI * HTTP/2.0\r\n', http2],
  ['\x16\x03', tls],
  ['PROXY ', proxyProtocol],
  ['\r\n\r\n\0\r\nQUIT\n', proxyProtocol],
];

/**
 * Recognizes a connection whose first bytes belong to another protocol.
 *
 * @param error of Node's HTTP parser, with the bytes that it could not read
 */
export function foreignProtocolOf(error: Error, socket: Duplex): ForeignProtocol | null {
  const packet = 'rawPacket' in error && Buffer.isBuffer(error.rawPacket) ? error.rawPacket : undefined;
  // Later bytes may be part of a request, and chosen to look like another protocol.
  if (packet === undefined || !('bytesRead' in socket) || socket.bytesRead !== packet.length) return null;
  const start = packet.toString('latin1', 0, 16);
  return beginnings.find(([bytes]) => start.startsWith(bytes))?.[1] ?? null;
}

/** Logs other protocols on a port, seldom enough that a flood does not fill the log. */
export function createForeignProtocolLog(
  log: Pick<FastifyBaseLogger, 'warn'>,
  variable: 'PORT' | 'SOKU_GATEWAY_PORT',
): (protocol: ForeignProtocol, socket: Duplex) => void {
  const reports = new Map(
    [http2, tls, proxyProtocol].map((protocol) => [protocol, throttle(interval, reportOf(protocol))]),
  );
  function reportOf({ name, advice }: ForeignProtocol) {
    return (peer: unknown, suppressed: number) =>
      log.warn(
        { peer, suppressed },
        `A connection to ${variable} speaks ${name} instead of HTTP/1.1: ${advice}`,
      );
  }
  return (protocol, socket) => {
    reports.get(protocol)?.('remoteAddress' in socket ? socket.remoteAddress : undefined);
  };
}

/** A frame of stream 0 without flags (RFC 9113 section 4.1). */
function http2Frame(type: number, payload = Buffer.alloc(0)): Buffer {
  return Buffer.concat([Buffer.from([0, 0, payload.length, type, 0, 0, 0, 0, 0]), payload]);
}
