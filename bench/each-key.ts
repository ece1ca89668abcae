import { once } from 'node:events';
import { connect } from 'node:net';

/** Requests that one connection sends at once; their answers are awaited before the next ones. */
const atOnce = 64;
const connections = 8;

/**
 * Asks GET /v1/verify once for each key, on some connections with pipelining, and holds every answer to be a yes.
 * wrk cannot do this: it counts time, not requests.
 *
 * @param url origin
 */
export async function askForEach(url: string, keys: Iterator<string>): Promise<number> {
  const counts = await Promise.all(Array.from({ length: connections }, () => askOnOne(new URL(url), keys)));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function askOnOne({ hostname, port, host }: URL, keys: Iterator<string>): Promise<number> {
  const socket = connect(Number(port), hostname).setEncoding('latin1');
  await once(socket, 'connect');
  let asked = 0;
  for (;;) {
    const batch = take(keys, atOnce);
    if (batch.length === 0) break;
    const answered = countAnswers(socket, batch.length);
    socket.write(
      batch
        .map((key) => `GET /v1/verify HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${key}\r\n\r\n`)
        .join(''),
    );
    await answered;
    asked += batch.length;
  }
  socket.destroy();
  return asked;
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

/** Resolves when so many answers have come, each of them 204, which has no body. */
function countAnswers(socket: ReturnType<typeof connect>, wanted: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let text = '';
  const read = (piece: string) => {
    text += piece;
    const answers = text.split('\r\n\r\n').slice(0, -1);
    const other = answers.find((answer) => !answer.startsWith('HTTP/1.1 204 '));
    if (other !== undefined) reject(new Error(`a key was answered: ${other.split('\r\n', 1)[0]}`));
    if (answers.length < wanted) return;
    settle();
    resolve();
  };
  const failed = (error?: Error) => reject(error ?? new Error('the connection was closed'));
  const settle = () => socket.off('data', read).off('error', failed).off('close', failed);
  socket.on('data', read).on('error', failed).on('close', failed);
  return promise;
}
