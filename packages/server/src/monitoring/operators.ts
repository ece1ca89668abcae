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
  /** SOKU_METRICS_TOKEN. Without it only programs on this machine may ask. */
  token: string | undefined;
  publicUrl: string;
  addressOf: ClientAddress;
}

/** Returns why a request does not come from an operator, or null when it does. */
export type OperatorCheck = (request: FastifyRequest) => ApiProblem | null;

/** Wrong tokens a minute from one address. */
const wrongTokens = 10;

/** Most addresses whose wrong tokens are counted. */
const countedAddresses = 10_000;

const notForYou: ApiProblem = {
  code: 'not_found',
  message:
    'Only programs on the same machine can read this, or, when SOKU_METRICS_TOKEN is set, whoever sends it as Authorization: Bearer.',
};

const foreignHost: ApiProblem = {
  code: 'not_found',
  message:
    'The Host header names neither this machine nor SOKU_PUBLIC_URL. Use http://localhost, or set SOKU_METRICS_TOKEN.',
};

/**
 * Makes the check of the endpoints that describe the deployment itself and belong to no workspace: only whoever runs
 * it may read them. The check does not ask the database, so that operators can look on while it is down.
 */
export function operatorsOnly({ token, publicUrl, addressOf }: Options): OperatorCheck {
  return token === undefined ? localOnly(publicUrl, addressOf) : tokenOnly(token, addressOf);
}

/**
 * A right token always passes, because whoever shares an address with a program that guesses, such as a proxy's, must
 * not suffer. Wrong ones are slowed down for each address.
 */
function tokenOnly(token: string, addressOf: ClientAddress): OperatorCheck {
  // Hashed, so that both have one length, and the time of the comparison reveals nothing.
  const right = digest(`Bearer ${token}`);
  const limits = new AddressLimits(wrongTokens, countedAddresses);
  return ({ headers: { authorization }, raw }) => {
    if (authorization === undefined) return notForYou;
    if (timingSafeEqual(digest(authorization), right)) return null;
    const limit = limits.take(addressOf(raw), Date.now());
    if (limit === null || limit.passed) return notForYou;
    return {
      code: 'rate_limited',
      message: `Too many wrong tokens from this IP address. Wait ${limit.resetSeconds} s before you try again.`,
      headers: { ...limitFields(limit), 'retry-after': String(limit.resetSeconds) },
    };
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/**
 * A request that came through a proxy is somebody else's, wherever the proxy stands and whatever it says. Neither is
 * it enough that the connection comes from this machine: a web page whose name was made to point here (DNS rebinding)
 * has the browser of an operator call us, but under its own name.
 */
function localOnly(publicUrl: string, addressOf: ClientAddress): OperatorCheck {
  const publicName = nameOf(new URL(publicUrl).host);
  return ({ raw, headers }) => {
    if (!isLoopback(addressOf(raw)) || Object.keys(headers).some(isAddedByProxy)) return notForYou;
    const name = nameOf(headers.host ?? '');
    return name === 'localhost' || name === publicName || isLoopback(name) ? null : foreignHost;
  };
}

/** A Host field without its port, and without the brackets of an IPv6 address. */
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
