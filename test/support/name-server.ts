/** A name server on a free port of 127.0.0.1. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** The part of a query that answers repeat: the name in its labels, and the type of the record. */
function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** @param records values of the record; none: the name has none of this type */
function answer(query: Buffer, end: number, type: number, records: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8180, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  const parts = records.map((record) => {
    const fields = Buffer.alloc(12);
    fields.writeUInt16BE(0xc00c, 0); // The name of the question.
    fields.writeUInt16BE(type, 2);
    fields.writeUInt16BE(1, 4);
    fields.writeUInt16BE(record.length, 10);
    return Buffer.concat([fields, record]);
  });
  return Buffer.concat([header, query.subarray(12, end), ...parts]);
}

/** A query for an IPv4 address (RFC 1035); other queries are for IPv6 addresses. */
const ipv4 = 1;

/**
 * Answers queries with the IPv4 addresses of `names`, and with none for other names.
 *
 * @param isSilent whether a query gets no answer
 */
export async function startNameServer(
  names: Record<string, readonly string[]>,
  isSilent: (name: string, family: 4 | 6) => boolean = () => false,
) {
  const socket = createSocket('udp4');
  const queries: string[] = [];
  socket.on('message', (query, { port, address }) => {
    const { name, type, end } = readQuestion(query);
    queries.push(name);
    if (isSilent(name, type === ipv4 ? 4 : 6)) return;
    const found = type === ipv4 ? (names[name] ?? []) : [];
    const records = found.map((one) => Buffer.from(one.split('.').map(Number)));
    socket.send(answer(query, end, type, records), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    /** The names of the queries so far. */
    queries,
    /** Resolves when there is a query for a name. */
    whenAsked: async (name: string) => {
      while (!queries.includes(name)) await once(socket, 'message');
    },
    close: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}
