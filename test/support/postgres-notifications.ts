import type { Filter } from './tcp-proxy.ts';

/** Message types of the server (PostgreSQL documentation, "Message Formats"). */
const notificationResponse = 'A';
/** The server's response to SSLRequest and GSSENCRequest: a single byte, not a message. */
const noEncryption = 'N';
/** All other messages have one byte for the type and four for the length, which includes itself. */
const typeBytes = 1;
const lengthBytes = 4;

/** A network that can drop only notifications: for `filterToClient` of a proxy before PostgreSQL. */
export class Notifications {
  /** Whether notifications are dropped. */
  lost = false;
  /** Number of dropped notifications. */
  lostCount = 0;

  /** A filter for one connection, from its start. */
  readonly filter = (): Filter => {
    let began = false;
    let rest = Buffer.alloc(0);
    return (bytes) => {
      rest = Buffer.concat([rest, bytes]);
      const passed: Buffer[] = [];
      for (;;) {
        const length = began ? messageLength(rest) : openingLength(rest);
        if (length === undefined || rest.length < length) break;
        began ||= length > 1;
        const message = rest.subarray(0, length);
        rest = rest.subarray(length);
        if (!this.#loses(message)) passed.push(message);
      }
      return Buffer.concat(passed);
    };
  };

  #loses(message: Buffer): boolean {
    if (!this.lost || message.toString('latin1', 0, typeBytes) !== notificationResponse) return false;
    this.lostCount += 1;
    return true;
  }
}

/** Length of the first message; undefined when too few bytes have arrived. */
function messageLength(bytes: Buffer): number | undefined {
  return bytes.length < typeBytes + lengthBytes ? undefined : typeBytes + bytes.readInt32BE(typeBytes);
}

/** The first message of a connection may be preceded by responses of a single byte. */
function openingLength(bytes: Buffer): number | undefined {
  const first = bytes.toString('latin1', 0, typeBytes);
  if (first === 'S' || first === 'G') throw new Error('encrypted connections cannot be filtered');
  return first === noEncryption ? 1 : messageLength(bytes);
}
