import { memoize } from '../http/memoize.ts';
import { dateField, type PreformattedResponse } from '../http/preformatted-response.ts';
import { canonicalName } from '../http/proxy-fields.ts';
import { limitFieldNames } from '../limits/fields.ts';
import { nodeHttp } from '../node-http.ts';
import { cookieName, createConnectionOptionCheck, isNotForwarded } from './fields.ts';

/** The head of the upstream's response. */
export interface UpstreamHead {
  status: number;
  /** Alternating names and values as received, one character per byte (latin1). */
  raw: readonly string[];
  /** The same by lowercase name. */
  headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** The gateway's own fields in a response. */
export interface GatewayFields {
  requestId: string;
  /** Lines of rate-limit fields, each ending with CR LF; '' if the key has no limit. */
  limit: string;
}

interface Rules {
  /** Cookies that the upstream must not set, because cookies ignore ports. */
  isOwnCookie: (name: string) => boolean;
  /** The upstream's URL without a trailing slash. */
  upstream: string;
  /** How long an idle client connection is kept, in ms. */
  keepAlive: number;
}

/** How a field of the upstream is treated. */
type Treatment =
  | 'drop'
  | 'keep'
  | 'filter cookie'
  | 'shorten location'
  | 'drop when limited'
  /** RFC 9110 section 8.6: a 204 has no length. */
  | 'drop of 204';

/** Writes response heads to clients: the upstream's status and fields, and the gateway's own fields. */
export class ResponseHeadWriter {
  readonly #rules: Rules;
  readonly #treatmentOf = memoize(treat);
  readonly #connection: string;

  constructor(rules: Rules) {
    this.#rules = rules;
    this.#connection = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(rules.keepAlive / 1000)}\r\n`;
  }

  /**
   * Writes the head of a response, which is sent together with the start of the body.
   *
   * @throws {RangeError} if Node does not send such a status
   */
  write(response: PreformattedResponse, head: UpstreamHead, own: GatewayFields): void {
    const { status, headers } = head;
    const isNamed = createConnectionOptionCheck(headers.connection);
    const kept = this.#keep(head, own, isNamed);
    // Node closes the connection after a final response instead of 100 Continue, because the body may or may not come.
    const isPlain = response.canSend && response.req.headers.expect === undefined;
    if (!isPlain || !isFramedByLength(head) || isNamed?.('content-length')) {
      response.writeHead(status, [...kept, 'X-Request-Id', own.requestId, ...fieldsOf(own.limit)]);
      return;
    }
    // Node would validate each field again, which costs as much as everything else here. The parser of the upstream's
    // response has already rejected CR, LF and NUL.
    let text = `HTTP/1.1 ${status} ${nodeHttp.STATUS_CODES[status] ?? 'unknown'}\r\n`;
    for (let i = 0; i + 1 < kept.length; i += 2) text += `${kept[i]}: ${kept[i + 1]}\r\n`;
    if (headers.date === undefined) text += dateField(Date.now());
    response.sendHead(status, `${text}X-Request-Id: ${own.requestId}\r\n${own.limit}${this.#connection}`);
  }

  /** The fields of the upstream to forward. @param isNamed whether its Connection field names a field */
  #keep(
    { status, raw }: UpstreamHead,
    { limit }: GatewayFields,
    isNamed: ReturnType<typeof createConnectionOptionCheck>,
  ): string[] {
    const kept: string[] = [];
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const written = raw[i] ?? '';
      const value = raw[i + 1] ?? '';
      const treatment = this.#treatmentOf(written);
      if (isNamed?.(written) || !this.#isForwarded(treatment, value, status, limit)) continue;
      const isLocation = treatment === 'shorten location';
      kept.push(written, isLocation ? ownLocation(value, this.#rules.upstream) : value);
    }
    return kept;
  }

  #isForwarded(treatment: Treatment, value: string, status: number, limit: string): boolean {
    switch (treatment) {
      case 'drop':
        return false;
      case 'drop when limited':
        return limit === '';
      case 'filter cookie':
        return !this.#rules.isOwnCookie(cookieName(value));
      case 'drop of 204':
        return status !== 204;
      default:
        return true;
    }
  }
}

function treat(written: string): Treatment {
  const name = canonicalName(written);
  // Alt-Svc would lead clients around the gateway.
  if (isNotForwarded(name) || name === 'alt-svc') return 'drop';
  if (limitFieldNames.has(name)) return 'drop when limited';
  if (name === 'set-cookie') return 'filter cookie';
  if (name === 'content-length') return 'drop of 204';
  return name === 'location' ? 'shorten location' : 'keep';
}

/** Whether Content-Length alone determines the framing of the body. */
function isFramedByLength({ status, headers }: UpstreamHead): boolean {
  const length = headers['content-length'];
  return typeof length === 'string' && /^\d+$/.test(length) && status !== 204 && status !== 304;
}

/** @param lines of header fields */
function fieldsOf(lines: string): string[] {
  return lines.split('\r\n').flatMap((line) => (line === '' ? [] : line.split(': ', 2)));
}

/** Shortens a location at the upstream's own URL, which clients cannot reach, to a path on the gateway. */
function ownLocation(location: string, upstream: string): string {
  if (location === upstream) return '/';
  const rest = location.startsWith(upstream) ? location.slice(upstream.length) : '';
  // Two slashes would start the name of another host.
  return /^\/(?!\/)/.test(rest) ? rest : location;
}
