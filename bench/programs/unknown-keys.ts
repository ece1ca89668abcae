/**
 * Sends keys with right checksums that nobody made, at a bounded rate, each of them once, to GET /v1/verify. Prints
 * how many were refused; any other answer fails it.
 *
 *   node bench/programs/unknown-keys.ts URL A_SECOND SECONDS FIRST_NUMBER
 */
import { connect, type Socket } from 'node:net';
import { unknownKeyAt } from '../keys.ts';

const [url = '', rate = '', seconds = '', first = ''] = process.argv.slice(2);
const { hostname, port, host } = new URL(url);
const statusLine = /HTTP\/1\.1 (\d{3})/g;

/** ms between two lots of requests. */
const pause = 10;
const wanted = Number(rate) * Number(seconds);

const sockets = Array.from({ length: 8 }, () => connect(Number(port), hostname));
let sent = 0;
let refused = 0;
const began = performance.now();

function sendDue(): void {
  const due = Math.min(wanted, Math.floor(((performance.now() - began) / 1000) * Number(rate)));
  const lots = new Map<Socket, string>();
  for (; sent < due; sent++) {
    const socket = sockets[sent % sockets.length];
    if (socket === undefined) break;
    const key = unknownKeyAt(Number(first) + sent);
    const request = `GET /v1/verify HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${key}\r\n\r\n`;
    lots.set(socket, (lots.get(socket) ?? '') + request);
  }
  for (const [socket, requests] of lots) socket.write(requests);
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
    // No more than the beginning of a line that goes on in the next piece.
    unread = unread.slice(-'HTTP/1.1 20'.length);
  });
}

function count(status: string): void {
  if (status !== '401' && status !== '429') {
    console.error(`an unknown key was answered ${status}`);
    process.exit(1);
  }
  refused += 1;
  if (refused < wanted) return;
  console.log(refused);
  process.exit();
}

sendDue();
