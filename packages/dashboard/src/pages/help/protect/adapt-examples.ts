/**
 * Puts the URL of this deployment into the tested examples, which call Soku at http://127.0.0.1:3000. With that URL, an
 * example stays exactly as it is. With https, the lines that TLS needs are added.
 */
export interface SokuUrl {
  secure: boolean;
  host: string;
  port: string;
  /** '' or a path such as /soku. */
  path: string;
}

/** `localhost` becomes 127.0.0.1, because some proxies resolve names with DNS only. */
export function parseSokuUrl(publicUrl: string): SokuUrl {
  const { protocol, hostname, port, pathname } = new URL(publicUrl);
  const secure = protocol === 'https:';
  return {
    secure,
    host: hostname === 'localhost' ? '127.0.0.1' : hostname,
    port: port === '' ? (secure ? '443' : '80') : port,
    path: pathname.replace(/\/$/, ''),
  };
}

const exampleAddress = '127.0.0.1:3000';

const addressOf = ({ host, port }: SokuUrl) => `${host}:${port}`;

/** Inserts the path of the URL where an example calls Soku. */
function withPath(example: string, { path }: SokuUrl): string {
  return example.replace(/(https?:\/\/[^/\s]+|rewrite |path_prefix: )\/v1\/verify/, `$1${path}/v1/verify`);
}

/** For examples and commands that contain Soku's URL. */
export function insertOrigin(example: string, origin: string): string {
  return example.replaceAll('http://localhost:3000', origin);
}

export function adaptNginxExample(example: string, url: SokuUrl): string {
  const placed = example.replace(exampleAddress, addressOf(url));
  if (!url.secure) return withPath(placed, url);
  const secured = placed.replace(
    '        proxy_pass http://soku/v1/verify;\n',
    `        proxy_pass https://soku/v1/verify;
        proxy_ssl_server_name on;
        proxy_ssl_name ${url.host};
        proxy_ssl_verify on;
        proxy_ssl_verify_depth 3;
        proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;
        proxy_set_header Host ${url.host};
`,
  );
  return withPath(secured, url);
}

export function adaptHaproxyExample(example: string, url: SokuUrl): string {
  const placed = example.replace(
    `http://${exampleAddress}`,
    url.secure ? `https://${addressOf(url)}` : `http://${addressOf(url)}`,
  );
  return withPath(placed, url);
}

export function adaptCaddyExample(example: string, url: SokuUrl): string {
  const call = `reverse_proxy ${exampleAddress} {`;
  const placed = example.replace(
    call,
    url.secure
      ? `reverse_proxy https://${addressOf(url)} {\n\t\t\theader_up Host ${url.host}`
      : `reverse_proxy ${addressOf(url)} {`,
  );
  return withPath(placed, url);
}

export function adaptEnvoyExample(example: string, url: SokuUrl): string {
  const placed = example
    .replace(`http://${exampleAddress}`, `${url.secure ? 'https' : 'http'}://${addressOf(url)}`)
    .replace('address: 127.0.0.1, port_value: 3000', `address: ${url.host}, port_value: ${url.port}`);
  const isName = !/^[\d.]+$|^\[/.test(url.host);
  const cluster = '    - name: soku\n      connect_timeout: 1s\n';
  const resolved = isName ? '      type: STRICT_DNS\n' : '';
  const connected = placed.replace(cluster, `${cluster}${resolved}${url.secure ? tlsOfEnvoy(url.host) : ''}`);
  return withPath(connected, url);
}

function tlsOfEnvoy(host: string): string {
  return `      transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
          sni: ${host}
          common_tls_context:
            validation_context:
              trusted_ca: { filename: /etc/ssl/certs/ca-certificates.crt }
              match_typed_subject_alt_names: [{ san_type: DNS, matcher: { exact: ${host} } }]
`;
}

/** The URL of the gateway, which listens on its own port. */
export function gatewayUrl(origin: string): string {
  const host = URL.canParse(origin) ? new URL(origin).hostname : 'localhost';
  return `http://${host}:3001`;
}
