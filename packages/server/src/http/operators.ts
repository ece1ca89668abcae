import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import type { ClientAddress } from './client-address.ts';
import { canonicalName, isProxyField } from './proxy-fields.ts';

interface Options {
  /** SOKU_METRICS_TOKEN. Without it only programs on this machine may ask. */
  token: string | undefined;
  addressOf: ClientAddress;
}

/** What everybody else is told. */
export const notForYou =
  'This is told to programs on the same machine, or, when SOKU_METRICS_TOKEN is set, to whoever sends it as Authorization: Bearer.';

/**
 * Who may read what tells of the deployment itself, and of no workspace: whoever runs it. The database is not asked,
 * so that they can look on while it is down.
 */
export function operatorsOnly(options: Options): (request: FastifyRequest) => boolean {
  return options.token === undefined ? isLocal(options) : holds(options.token);
}

function holds(token: string): (request: FastifyRequest) => boolean {
  // Hashed, so that both have one length, and the comparison tells nothing by its time.
  const right = digest(`Bearer ${token}`);
  return (request) => timingSafeEqual(digest(request.headers.authorization ?? ''), right);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** A request that came through a proxy is somebody else's, wherever the proxy stands and whatever it says. */
function isLocal({ addressOf }: Options): (request: FastifyRequest) => boolean {
  return ({ raw, headers }) => isLoopback(addressOf(raw)) && !Object.keys(headers).some(isAddedByProxy);
}

function isLoopback(address: string): boolean {
  return isIP(address) === 4 ? address.startsWith('127.') : address === '::1';
}

function isAddedByProxy(name: string): boolean {
  return name === 'via' || isProxyField(canonicalName(name));
}
