import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Fields } from './http.ts';
import { portOf } from './in-process-gateway.ts';

interface Signer {
  id: string;
  /** The header fields with which GitHub sends a body. */
  sign(body: string): Fields;
  entry: { key_identifier: string; key: string; is_current: boolean };
}

/** A key pair like those of GitHub. */
export function newSigner(namedCurve = 'prime256v1'): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve });
  const id = randomBytes(32).toString('hex');
  const key = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  return {
    id,
    sign: (body) => [
      ['Github-Public-Key-Identifier', id],
      ['Github-Public-Key-Signature', sign('sha256', Buffer.from(body), privateKey).toString('base64')],
    ],
    entry: { key_identifier: id, key, is_current: true },
  };
}

interface KeyList {
  signers: Signer[];
  status: number;
  /** The body, instead of the list. */
  text: string | undefined;
  /** So far. */
  fetches: number;
  /** Responses wait for it. */
  held: Promise<void> | undefined;
}

/** A server with the list of public keys, in the place of GitHub's. */
export async function startKeyList(signers: Signer[]) {
  const list: KeyList = { signers, status: 200, text: undefined, fetches: 0, held: undefined };
  const server = createServer(async (_request, response) => {
    list.fetches += 1;
    await list.held;
    const entries = list.signers.map(({ entry }) => entry);
    response.writeHead(list.status, { 'content-type': 'application/json' });
    response.end(list.text ?? JSON.stringify({ public_keys: entries }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { list, url: `http://127.0.0.1:${portOf(server)}/keys`, stop };
}
