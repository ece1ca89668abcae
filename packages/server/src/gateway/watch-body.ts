import type { Readable, Writable } from 'node:stream';

interface Body {
  request: Readable;
  /** The request to the upstream. */
  outgoing: Writable;
  /** Whether the client waits for 100 Continue from the upstream (RFC 9110 section 10.1.1). */
  waitsForContinue: boolean;
  /** Timeout in ms. */
  time: number;
}

/**
 * Calls `stalled` if a client has sent no part of its body for `time` although the upstream accepts more. While the
 * upstream accepts nothing, the client cannot send, and the timeout does not run.
 */
export function watchBody({ request, outgoing, waitsForContinue, time }: Body, stalled: () => void): void {
  let timer: NodeJS.Timeout | undefined;
  const restart = () => {
    if (request.readableEnded || request.destroyed) return;
    clearTimeout(timer);
    timer = setTimeout(check, time);
  };
  const check = () => {
    if (outgoing.writableNeedDrain && !outgoing.destroyed) restart();
    else stalled();
  };
  const stop = () => clearTimeout(timer);
  request.on('data', restart).once('end', stop).once('close', stop);
  outgoing.on('drain', restart);
  if (waitsForContinue) outgoing.once('continue', restart);
  else restart();
}
