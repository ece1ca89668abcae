import type { IncomingMessage } from 'node:http';
import { plainAddress } from '../http/address.ts';
import { cached } from '../http/cached.ts';
import { type AddressHeader, unknownClient } from '../http/client-address.ts';
import { wellFormedEnd } from '../http/forwarded.ts';
import { canonicalName, isProxyField } from '../http/proxy-fields.ts';
import { cookieName, endsHere, namedBy } from './fields.ts';

interface Rules {
  /** Cookies of the dashboard: a browser sends them to every port of a host. */
  isOwnCookie: (name: string) => boolean;
  /** Whether the upstream gets the Authorization field, and so the key. */
  forwardKey: boolean;
  /** The one header in which proxies name the client to us, and we to the upstream. */
  addressHeader: AddressHeader;
}

/** What becomes of a client's field. */
type Treatment =
  | 'drop'
  | 'keep'
  /** Its Cookie field loses the dashboard's cookies. */
  | 'filter cookies'
  /** Only a trusted proxy may send it. */
  | 'keep from proxies'
  /** A Connection field could otherwise name it, and so take it away where the operator wants it handed on. */
  | 'keep always';

/** Fields of a request that are made anew, or are nobody's to send but a proxy's. */
const neverFromClient = new Set(['host', 'content-length', 'expect', 'authorization', 'proxy']);

/** Made by `addForwarded`. */
const madeByUs = new Set(['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded']);

/**
 * Creates the function that takes a request and returns the fields for the upstream: those of the client that go on,
 * in their order and as they were written, and where the request came from. Names and values in turn; without framing,
 * Host, and whose key it was.
 *
 * @param trusted whether the peer is a proxy that is believed
 */
export function fieldsForUpstream(rules: Rules): (request: IncomingMessage, trusted: boolean) => string[] {
  const treatmentOf = cached((written) => treat(written, rules));
  return (request, trusted) => {
    const { rawHeaders: raw, headers } = request;
    const isNamed = namedBy(headers.connection);
    const kept: string[] = [];
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const written = raw[i] ?? '';
      const value = raw[i + 1] ?? '';
      const treatment = treatmentOf(written);
      if (!goesOn(treatment, trusted, isNamed?.(written) === true)) continue;
      if (treatment !== 'filter cookies') kept.push(written, value);
      else kept.push(...withoutCookies(written, value, rules.isOwnCookie));
    }
    addForwarded(kept, request, trusted, rules.addressHeader);
    return kept;
  };
}

function treat(written: string, { forwardKey, addressHeader }: Rules): Treatment {
  const name = canonicalName(written);
  if (forwardKey && written.toLowerCase() === 'authorization') return 'keep always';
  if (endsHere(name) || neverFromClient.has(name)) return 'drop';
  if (name === 'cookie') return 'filter cookies';
  if (!isProxyField(name)) return 'keep';
  // The field that is not read comes from the client, through however many proxies, and must not be believed later on.
  const other = addressHeader === 'forwarded' ? name.startsWith('x-forwarded-') : name === 'forwarded';
  // A proxy that sets X-Real-IP often passes a client's X_Real_IP on, which the upstream may take for the same.
  const respelt = written.toLowerCase() !== name;
  return other || respelt || madeByUs.has(name) ? 'drop' : 'keep from proxies';
}

/** @param named whether the Connection field names it */
function goesOn(treatment: Treatment, trusted: boolean, named: boolean): boolean {
  if (treatment === 'keep always') return true;
  return !named && treatment !== 'drop' && (trusted || treatment !== 'keep from proxies');
}

/** A Cookie field without the dashboard's cookies; no field when nothing is left. */
function withoutCookies(written: string, value: string, isOwn: (name: string) => boolean): string[] {
  const cookies = value.split(';');
  const kept = cookies.filter((cookie) => !isOwn(cookieName(cookie)));
  if (kept.length === cookies.length) return [written, value];
  return kept.length === 0 ? [] : [written, kept.join(';').trim()];
}

/**
 * Adds where the request came from, in the header that we read ourselves: a list that only trusted proxies can have
 * begun.
 */
function addForwarded(
  fields: string[],
  { headers, socket }: IncomingMessage,
  trusted: boolean,
  addressHeader: AddressHeader,
): void {
  const peer = plainAddress(socket.remoteAddress ?? unknownClient);
  const told = (name: string) => (trusted ? joined(headers[name]) : undefined);
  const { host = '' } = headers;
  if (addressHeader === 'forwarded') {
    fields.push('Forwarded', listed(wellFormedEnd(told('forwarded') ?? ''), forwardedElement(peer, host)));
    return;
  }
  fields.push('X-Forwarded-For', listed(told('x-forwarded-for') ?? '', peer));
  fields.push('X-Forwarded-Proto', told('x-forwarded-proto') ?? 'http');
  fields.push('X-Forwarded-Host', told('x-forwarded-host') ?? host);
}

function listed(before: string, own: string): string {
  return before === '' ? own : `${before}, ${own}`;
}

/** RFC 7239 section 4. A Host that is not written as a name or an address is left out, and needs no escapes. */
function forwardedElement(peer: string, host: string): string {
  const node = peer.includes(':') ? `"[${peer}]"` : peer;
  return `for=${node};${/^[\w.:[\]-]+$/.test(host) ? `host="${host}";` : ''}proto=http`;
}

function joined(value: string | string[] | undefined): string | undefined {
  const text = [value ?? []].flat().join(', ');
  return text === '' ? undefined : text;
}
