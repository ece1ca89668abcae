import { once } from 'node:events';
import { connect } from 'node:net';

/** Requests that one connection sends at once, before it waits for all of their responses. */
const atOnce = 64;
const connections = 8;

/**
 * Calls GET /v1/verify once for each key, on a few connections with pipelining, and fails unless every key is accepted.
 * wrk cannot do this: it runs for a time, not for a number of requests.
 *
 * @param url origin
 */
export async function verifyEach(url: string, keys: Iterator<string>): Promise<number> {
  const counts = await Promise.all(
    Array.from({ length: connections }, () => verifyOnOne(new URL(url), keys)),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

async function verifyOnOne({ hostname, port, host }: URL, keys: Iterator<string>): Promise<number> {
  const socket = connect(Number(port), hostname).setEncoding('latin1');
  await once(socket, 'connect');
  let verified = 0;
  for (;;) {
    const batch = take(keys, atOnce);
    if (batch.length === 0) break;
    const received = countResponses(socket, batch.length);
    socket.write(
      batch
        .map((key) => `GET /v1/verify HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${key}\r\n\r\n`)
        .join(''),
    );
    await received;
    verified += batch.length;
  }
  socket.destroy();
  return verified;
}

function take(keys: Iterator<string>, most: number): string[] {
  const taken: string[] = [];
  while (taken.length < most) {
    const next = keys.next();
    if (next.done === true) break;
    taken.push(next.value);
  }
  return taken;
}

/** Resolves when the wanted number of responses have arrived, each of them 204, which has no body. */
function countResponses(socket: ReturnType<typeof connect>, wanted: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let text = '';
  const read = (piece: string) => {
    text += piece;
    const responses = text.split('\r\n\r\n').slice(0, -1);
    const other = responses.find((response) => !response.startsWith('HTTP/1.1 204 '));
    if (other !== undefined) reject(new Error(`a key got the response ${other.split('\r\n', 1)[0]}`));
    if (responses.length < wanted) return;
    settle();
    resolve();
  };
  const failed = (error?: Error) => reject(error ?? new Error('the connection was closed'));
  const settle = () => socket.off('data', read).off('error', failed).off('close', failed);
  socket.on('data', read).on('error', failed).on('close', failed);
  return promise;
}
