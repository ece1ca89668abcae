/** How long the gateway waits, in ms. */
export interface Timeouts {
  /** For a connection, TLS included. */
  connection: number;
  /** For the next byte in either direction, once there is a connection: so for the answer's first byte, too. */
  silence: number;
  /** For the next byte of a request's body, while the upstream takes more of it. */
  body: number;
}

export const usualTimeouts: Timeouts = { connection: 10_000, silence: 120_000, body: 30_000 };

/**
 * How long an unused connection to the upstream is kept, in ms: less than the five seconds after which Node's own
 * servers close one, so that a request seldom meets a connection that is just being closed.
 */
export const idle = 4_000;

/** Largest header of an answer, in bytes. */
export const answerHeaders = 64 * 1024;

/** Why the gateway gave up waiting. Everything else that goes wrong with an upstream is an error of Node or undici. */
export class UpstreamTimeout extends Error {
  override readonly name = 'UpstreamTimeout';
  readonly waitedFor: 'upstream' | 'client';

  constructor(message: string, waitedFor: 'upstream' | 'client' = 'upstream') {
    super(message);
    this.waitedFor = waitedFor;
  }
}
