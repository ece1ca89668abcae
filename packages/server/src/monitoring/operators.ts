import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { canonicalAddress } from '../http/address.ts';
import type { ClientAddress } from '../http/client-address.ts';
import type { ApiProblem } from '../http/errors.ts';
import { canonicalName, isProxyField } from '../http/proxy-fields.ts';
import { AddressLimits } from '../limits/address-limits.ts';
import { limitFields } from '../limits/fields.ts';

interface Options {
  /** SOKU_METRICS_TOKEN. Without it only programs on this machine have access. */
  token: string | undefined;
  publicUrl: string;
  addressOf: ClientAddress;
}

/** Returns null for a request of an operator, otherwise the problem to send. */
export type OperatorCheck = (request: FastifyRequest) => ApiProblem | null;

/** Allowed wrong tokens per minute from one address. */
const wrongTokens = 10;

/** Maximum number of addresses whose wrong tokens are counted. */
const countedAddresses = 10_000;

const noAccess: ApiProblem = {
  code: 'not_found',
  message:
    'Not found. If SOKU_METRICS_TOKEN is set, send it as Authorization: Bearer. Otherwise, call from the same machine.',
};

const foreignHost: ApiProblem = {
  code: 'not_found',
  message:
    'The Host header is neither this machine nor the host of SOKU_PUBLIC_URL. Use http://localhost, or set SOKU_METRICS_TOKEN.',
};

/**
 * Creates the access check of endpoints that describe the deployment itself and belong to no workspace: only operators
 * may read them. The check does not query the database, so it also works while the database is down.
 */
export function createOperatorCheck({ token, publicUrl, addressOf }: Options): OperatorCheck {
  return token === undefined ? localOnly(publicUrl, addressOf) : tokenOnly(token, addressOf);
}

/**
 * A correct token always passes, because callers may share an address, such as that of a proxy, with a program that
 * guesses. Wrong tokens are limited per address.
 */
function tokenOnly(token: string, addressOf: ClientAddress): OperatorCheck {
  // Hashed, so that both have the same length and the comparison takes constant time.
  const right = digest(`Bearer ${token}`);
  const limits = new AddressLimits(wrongTokens, countedAddresses);
  return ({ headers: { authorization }, raw }) => {
    if (authorization === undefined) return noAccess;
    if (timingSafeEqual(digest(authorization), right)) return null;
    const limit = limits.consume(addressOf(raw), Date.now());
    if (limit === null || limit.passed) return noAccess;
    return {
      code: 'rate_limited',
      message: `Too many wrong tokens from this IP address. Retry after ${limit.resetSeconds} s.`,
      headers: { ...limitFields(limit), 'retry-after': String(limit.resetSeconds) },
    };
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/**
 * A request through any proxy comes from another client and is rejected. A connection from this machine is also not
 * sufficient: with DNS rebinding, a web page can make an operator's browser call this server, but under its own name.
 */
function localOnly(publicUrl: string, addressOf: ClientAddress): OperatorCheck {
  const publicName = nameOf(new URL(publicUrl).host);
  return ({ raw, headers }) => {
    if (!isLoopback(addressOf(raw)) || Object.keys(headers).some(isAddedByProxy)) return noAccess;
    const name = nameOf(headers.host ?? '');
    return name === 'localhost' || name === publicName || isLoopback(name) ? null : foreignHost;
  };
}

/** The name in a Host field, without the port and the brackets of an IPv6 address. */
function nameOf(host: string): string {
  const [, inBrackets, name = ''] = /^(?:\[([^[\]]*)\]|([^:]*))(?::\d*)?$/.exec(host.toLowerCase()) ?? [];
  return inBrackets === undefined ? name : (canonicalAddress(inBrackets) ?? '');
}

function isLoopback(address: string): boolean {
  return isIP(address) === 4 ? address.startsWith('127.') : address === '::1';
}

function isAddedByProxy(name: string): boolean {
  return name === 'via' || isProxyField(canonicalName(name));
}
