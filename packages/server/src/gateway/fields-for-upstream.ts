import type { IncomingMessage } from 'node:http';
import { canonicalSocketAddress } from '../http/address.ts';
import { type AddressHeader, unknownClient } from '../http/client-address.ts';
import { wellFormedSuffix } from '../http/forwarded.ts';
import { memoize } from '../http/memoize.ts';
import { canonicalName, isProxyField } from '../http/proxy-fields.ts';
import { cookieName, createConnectionOptionCheck, isNotForwarded } from './fields.ts';

interface Rules {
  /** Cookies of the dashboard, which browsers send to every port of a host. */
  isOwnCookie: (name: string) => boolean;
  /** Whether the upstream gets the Authorization field, and thus the key. */
  forwardKey: boolean;
  /** The header in which proxies name the client to the gateway, and the gateway to the upstream. */
  addressHeader: AddressHeader;
}

/** How a field of the client is treated. */
type Treatment =
  | 'drop'
  | 'keep'
  /** Removes the dashboard's cookies from the Cookie field. */
  | 'filter cookies'
  /** Forwarded only from trusted proxies. */
  | 'keep from proxies'
  /** Forwarded even if the Connection field names it, because the operator requested it. */
  | 'keep always';

/** Request fields that the gateway sets itself, or that only a proxy may send. */
const neverFromClient = new Set(['host', 'content-length', 'expect', 'authorization', 'proxy']);

/** Set by `addForwarded`. */
const setByGateway = new Set(['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded']);

/**
 * Creates a function that returns the fields of a request for the upstream: the forwarded fields of the client, with
 * order and spelling unchanged, and the origin of the request. Names and values alternate; framing, Host and the key's
 * identity are not included.
 *
 * @param trusted whether the peer is a trusted proxy
 */
export function fieldsForUpstream(rules: Rules): (request: IncomingMessage, trusted: boolean) => string[] {
  const treatmentOf = memoize((written) => treat(written, rules));
  return (request, trusted) => {
    const { rawHeaders: raw, headers } = request;
    const isNamed = createConnectionOptionCheck(headers.connection);
    const kept: string[] = [];
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const written = raw[i] ?? '';
      const value = raw[i + 1] ?? '';
      const treatment = treatmentOf(written);
      if (!isForwarded(treatment, trusted, isNamed?.(written) === true)) continue;
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
  if (isNotForwarded(name) || neverFromClient.has(name)) return 'drop';
  if (name === 'cookie') return 'filter cookies';
  if (!isProxyField(name)) return 'keep';
  // The header that is not read can come from the client through any number of proxies, so it must not be forwarded.
  const other = addressHeader === 'forwarded' ? name.startsWith('x-forwarded-') : name === 'forwarded';
  // A proxy that sets X-Real-IP often forwards a client's X_Real_IP, which the upstream may treat as the same field.
  const respelled = written.toLowerCase() !== name;
  return other || respelled || setByGateway.has(name) ? 'drop' : 'keep from proxies';
}

/** @param named whether the Connection field names the field */
function isForwarded(treatment: Treatment, trusted: boolean, named: boolean): boolean {
  if (treatment === 'keep always') return true;
  return !named && treatment !== 'drop' && (trusted || treatment !== 'keep from proxies');
}

/** A Cookie field without the dashboard's cookies; no field if nothing is left. */
function withoutCookies(written: string, value: string, isOwn: (name: string) => boolean): string[] {
  const cookies = value.split(';');
  const kept = cookies.filter((cookie) => !isOwn(cookieName(cookie)));
  if (kept.length === cookies.length) return [written, value];
  return kept.length === 0 ? [] : [written, kept.join(';').trim()];
}

/**
 * Adds the origin of the request, in the header that the gateway itself reads. Only trusted proxies can have started
 * the list.
 */
function addForwarded(
  fields: string[],
  { headers, socket }: IncomingMessage,
  trusted: boolean,
  addressHeader: AddressHeader,
): void {
  const peer = canonicalSocketAddress(socket.remoteAddress ?? unknownClient);
  const fromProxy = (name: string) => (trusted ? joined(headers[name]) : undefined);
  const { host = '' } = headers;
  if (addressHeader === 'forwarded') {
    fields.push(
      'Forwarded',
      listed(wellFormedSuffix(fromProxy('forwarded') ?? ''), forwardedElement(peer, host)),
    );
    return;
  }
  fields.push('X-Forwarded-For', listed(fromProxy('x-forwarded-for') ?? '', peer));
  fields.push('X-Forwarded-Proto', fromProxy('x-forwarded-proto') ?? 'http');
  fields.push('X-Forwarded-Host', fromProxy('x-forwarded-host') ?? host);
}

function listed(before: string, own: string): string {
  return before === '' ? own : `${before}, ${own}`;
}

/** RFC 7239 section 4. Omits a Host that is not a plain name or address, so no escaping is needed. */
function forwardedElement(peer: string, host: string): string {
  const node = peer.includes(':') ? `"[${peer}]"` : peer;
  return `for=${node};${/^[\w.:[\]-]+$/.test(host) ? `host="${host}";` : ''}proto=http`;
}

function joined(value: string | string[] | undefined): string | undefined {
  const text = [value ?? []].flat().join(', ');
  return text === '' ? undefined : text;
}
