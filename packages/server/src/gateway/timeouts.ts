/** The timeouts of the gateway, in ms. */
export interface Timeouts {
  /** For a connection, including TLS. */
  connection: number;
  /** For the next byte in either direction on a connection, including the first byte of the response. */
  silence: number;
  /** For the next byte of a request body, while the upstream accepts more of it. */
  body: number;
}

export const defaultTimeouts: Timeouts = { connection: 10_000, silence: 120_000, body: 30_000 };

/**
 * How long an idle connection to the upstream is kept, in ms: less than the five seconds after which Node servers close
 * one, so that a request rarely uses a connection that is being closed.
 */
export const idleTimeoutMs = 4_000;

/** Maximum size of a response header, in bytes. */
export const maxResponseHeaderBytes = 64 * 1024;

/** A timeout of the gateway. All other failures of an upstream are errors of Node or undici. */
export class UpstreamTimeout extends Error {
  override readonly name = 'UpstreamTimeout';
  readonly waitedFor: 'upstream' | 'client';

  constructor(message: string, waitedFor: 'upstream' | 'client' = 'upstream') {
    super(message);
    this.waitedFor = waitedFor;
  }
}
