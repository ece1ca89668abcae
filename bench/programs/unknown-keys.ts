/**
 * Sends unknown keys with correct checksums to GET /v1/verify at a bounded rate, each of them once. Prints how many
 * were rejected; any other response is an error.
 *
 *   node bench/programs/unknown-keys.ts URL A_SECOND SECONDS FIRST_NUMBER
 */
import { connect, type Socket } from 'node:net';
import { unknownKeyAt } from '../keys.ts';

const [url = '', rate = '', seconds = '', first = ''] = process.argv.slice(2);
const { hostname, port, host } = new URL(url);
const statusLine = /HTTP\/1\.1 (\d{3})/g;

/** ms between two batches of requests. */
const pause = 10;
const wanted = Number(rate) * Number(seconds);

const sockets = Array.from({ length: 8 }, () => connect(Number(port), hostname));
let sent = 0;
let rejected = 0;
const began = performance.now();

function sendDue(): void {
  const due = Math.min(wanted, Math.floor(((performance.now() - began) / 1000) * Number(rate)));
  const batches = new Map<Socket, string>();
  for (; sent < due; sent++) {
    const socket = sockets[sent % sockets.length];
    if (socket === undefined) break;
    const key = unknownKeyAt(Number(first) + sent);
    const request = `GET /v1/verify HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${key}\r\n\r\n`;
    batches.set(socket, (batches.get(socket) ?? '') + request);
  }
  for (const [socket, requests] of batches) socket.write(requests);
  if (sent < wanted) setTimeout(sendDue, pause);
}

for (const socket of sockets) {
  let unread = '';
  socket.setEncoding('latin1').on('data', (piece: string) => {
    unread += piece;
    for (const [line, status = ''] of unread.matchAll(statusLine)) {
      count(status);
      unread = unread.slice(unread.indexOf(line) + line.length);
    }
    // Keep only the beginning of a line that continues in the next chunk.
    unread = unread.slice(-'HTTP/1.1 20'.length);
  });
}

function count(status: string): void {
  if (status !== '401' && status !== '429') {
    console.error(`an unknown key returned ${status}`);
    process.exit(1);
  }
  rejected += 1;
  if (rejected < wanted) return;
  console.log(rejected);
  process.exit();
}

sendDue();
