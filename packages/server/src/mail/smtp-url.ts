/** The SMTP server that SMTP_URL names. */
export interface SmtpServer {
  host: string;
  port: number;
  /** Whether the connection starts with TLS (smtps:). */
  secure: boolean;
  /** Whether a connection that does not start with TLS must switch to it (STARTTLS) before anything is sent, or must not. */
  requireTls: boolean;
  auth: { user: string; pass: string } | undefined;
}

const loopbackNames = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Parses `smtps://user:password@host:465` or `smtp://user:password@host:587`. The password and the emails must not cross
 * a network in plain text, so a server on another machine needs TLS, unless the URL ends in `?tls=off`. One on this
 * machine is used without TLS, because its certificate is seldom valid for `localhost`.
 *
 * @returns undefined if it is not such a URL
 */
export function parseSmtpUrl(text: string): SmtpServer | undefined {
  const url = URL.parse(text);
  if (url === null || !hasForm(url)) return undefined;
  const secure = url.protocol === 'smtps:';
  const [user, pass] = [decoded(url.username), decoded(url.password)];
  if (user === undefined || pass === undefined || (user === '') !== (pass === '')) return undefined;
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? (secure ? 465 : 587) : Number(url.port),
    secure,
    requireTls: !secure && url.search === '' && !loopbackNames.includes(url.hostname),
    auth: user === '' ? undefined : { user, pass },
  };
}

function hasForm({ protocol, hostname, pathname, search, hash }: URL): boolean {
  const searches = new Map([
    ['smtp:', ['', '?tls=off']],
    ['smtps:', ['']],
  ]);
  const isKnown = searches.get(protocol)?.includes(search) === true;
  return isKnown && hostname !== '' && ['', '/'].includes(pathname) && hash === '';
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
