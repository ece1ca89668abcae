import type { IncomingMessage } from 'node:http';
import { plainAddress } from '../http/address.ts';
import { type AddressHeader, unknownClient } from '../http/client-address.ts';
import { wellFormedEnd } from '../http/forwarded.ts';
import { canonicalName, isProxyField } from '../http/proxy-fields.ts';

/**
 * Fields that speak of one connection and not of the message (RFC 9110 section 7.6.1), or of its framing, which is
 * made anew on each side. `http2-settings` belongs to an upgrade that is not done (RFC 9113 section 3.1).
 */
const ofOneConnection = new Set([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/**
 * Whether a field ends at the gateway, in either direction: it belongs to one connection or is named by Connection,
 * or is of the kinds that only we set.
 */
function endsHere(name: string, named: ReadonlySet<string>): boolean {
  return (
    ofOneConnection.has(name) ||
    named.has(name) ||
    name.startsWith('x-soku-') ||
    name.startsWith('proxy-') ||
    name === 'x-request-id'
  );
}

/** The names in all Connection fields of a message. */
function namedByConnection(raw: readonly string[]): ReadonlySet<string> {
  const named = new Set<string>();
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (raw[i]?.toLowerCase() !== 'connection') continue;
    for (const name of (raw[i + 1] ?? '').split(',')) named.add(name.trim().toLowerCase());
  }
  return named;
}

/** Fields of a request that are made anew, or are nobody's to send but a proxy's. */
const neverFromClient = new Set(['host', 'content-length', 'expect', 'authorization', 'proxy']);

/** Made by `forwardedFields`. */
const madeByUs = new Set(['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded']);

export interface RequestRules {
  /** Cookies of the dashboard: a browser sends them to every port of a host. */
  isOwnCookie: (name: string) => boolean;
  /** Whether the upstream gets the Authorization field, and so the key. */
  forwardKey: boolean;
  /** Whether the peer is a proxy that is believed. */
  trusted: boolean;
  /** The one header in which proxies name the client to us, and we to the upstream. */
  addressHeader: AddressHeader;
}

/**
 * The client's fields that go on to the upstream, in their order and with their names as they were written.
 *
 * @param raw names and values in turn
 * @returns the same form; without framing, Host, what `forwardedFields` makes, and all that we set ourselves
 */
export function fieldsForUpstream(raw: readonly string[], rules: RequestRules): string[] {
  const named = namedByConnection(raw);
  const kept: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const written = raw[i] ?? '';
    const name = canonicalName(written);
    const value = name === 'cookie' ? withoutCookies(raw[i + 1] ?? '', rules.isOwnCookie) : raw[i + 1];
    if (value === undefined || !goesOn(name, written, named, rules)) continue;
    kept.push(written, value);
  }
  return kept;
}

function goesOn(name: string, written: string, named: ReadonlySet<string>, rules: RequestRules): boolean {
  // A Connection field could otherwise name it, and so take it away where the operator wants it handed on.
  if (rules.forwardKey && written.toLowerCase() === 'authorization') return true;
  if (endsHere(name, named) || neverFromClient.has(name)) return false;
  if (!isProxyField(name)) return true;
  // The field that is not read comes from the client, through however many proxies, and must not be believed later on.
  const other = rules.addressHeader === 'forwarded' ? name.startsWith('x-forwarded-') : name === 'forwarded';
  // A proxy that sets X-Real-IP often passes a client's X_Real_IP on, which the upstream may take for the same.
  const respelt = written.toLowerCase() !== name;
  return rules.trusted && !other && !respelt && !madeByUs.has(name);
}

/** A Cookie field without the dashboard's cookies; undefined when nothing is left. */
function withoutCookies(value: string, isOwn: (name: string) => boolean): string | undefined {
  const cookies = value.split(';');
  const kept = cookies.filter((cookie) => !isOwn(cookieName(cookie)));
  if (kept.length === cookies.length) return value;
  return kept.length === 0 ? undefined : kept.join(';').trim();
}

/** Browsers trim names, and send a cookie without a name as its bare value, which may look like a name and value. */
function cookieName(cookie: string): string {
  return /^[\s=]*([^=;]*)/.exec(cookie)?.[1]?.trim() ?? '';
}

/**
 * Where the request came from, for the upstream, in the header that we read ourselves: a list that only trusted
 * proxies can have begun.
 */
export function forwardedFields(
  { headers, socket }: IncomingMessage,
  { trusted, addressHeader }: Pick<RequestRules, 'trusted' | 'addressHeader'>,
): string[] {
  const peer = plainAddress(socket.remoteAddress ?? unknownClient);
  const told = (name: string) => (trusted ? joined(headers[name]) : undefined);
  const { host = '' } = headers;
  if (addressHeader === 'forwarded') {
    return ['Forwarded', listed(wellFormedEnd(told('forwarded') ?? ''), forwardedElement(peer, host))];
  }
  return [
    'X-Forwarded-For',
    listed(told('x-forwarded-for') ?? '', peer),
    'X-Forwarded-Proto',
    told('x-forwarded-proto') ?? 'http',
    'X-Forwarded-Host',
    told('x-forwarded-host') ?? host,
  ];
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

export interface AnswerRules {
  /** Cookies that the upstream must not set: cookies do not tell ports apart. */
  isOwnCookie: (name: string) => boolean;
  /** Fields that we set ourselves, with names in small letters; they take the place of the upstream's. */
  ours: Readonly<Record<string, string>>;
  /** The upstream's URL, without a slash at the end. */
  upstream: string;
}

/**
 * The fields of the answer to the client: those of the upstream that go on, and ours.
 *
 * @param raw names and values in turn
 */
export function fieldsForClient(raw: readonly string[], rules: AnswerRules): string[] {
  const named = namedByConnection(raw);
  const kept: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [written = '', value = ''] = raw.slice(i, i + 2);
    const name = canonicalName(written);
    // Alt-Svc would lead clients round the gateway.
    if (endsHere(name, named) || name in rules.ours || name === 'alt-svc') continue;
    if (name === 'set-cookie' && rules.isOwnCookie(cookieName(value))) continue;
    kept.push(written, name === 'location' ? ownLocation(value, rules.upstream) : value);
  }
  return kept.concat(...Object.entries(rules.ours));
}

/** The upstream knows itself by its own address, which clients cannot reach: what is left is a path of ours. */
function ownLocation(location: string, upstream: string): string {
  if (location === upstream) return '/';
  const rest = location.startsWith(upstream) ? location.slice(upstream.length) : '';
  // Two slashes would begin the name of another host.
  return /^\/(?!\/)/.test(rest) ? rest : location;
}
