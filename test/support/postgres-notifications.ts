import type { Filter } from './tcp-proxy.ts';

/** Message types of the server (PostgreSQL documentation, "Message Formats"). */
const notificationResponse = 'A';
/** What a server answers to SSLRequest and GSSENCRequest: a single byte, no message. */
const noEncryption = 'N';
/** All messages but those have a byte for the type and four for the length, which counts itself. */
const typeBytes = 1;
const lengthBytes = 4;

/** A network that can lose notifications, and nothing else: for `filterToClient` of a proxy before PostgreSQL. */
export class Notifications {
  /** From now on none arrives. */
  lost = false;
  /** How many were lost. */
  lostCount = 0;

  /** For one connection, from its start. */
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

/** Of the message at the beginning; `undefined` when too little has come to know. */
function messageLength(bytes: Buffer): number | undefined {
  return bytes.length < typeBytes + lengthBytes ? undefined : typeBytes + bytes.readInt32BE(typeBytes);
}

/** Before the first message of a connection there may be answers of a single byte. */
function openingLength(bytes: Buffer): number | undefined {
  const first = bytes.toString('latin1', 0, typeBytes);
  if (first === 'S' || first === 'G') throw new Error('an encrypted connection cannot be looked into');
  return first === noEncryption ? 1 : messageLength(bytes);
}
