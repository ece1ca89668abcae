/** Commands of the pages in docs/. test/browser/protect-an-api.test.ts compares every block with them. */

export const startGatewayCommand = 'SOKU_GATEWAY_UPSTREAM=http://127.0.0.1:4000 npm start';

export function callGatewayCommand(gateway: string): string {
  return `curl --fail-with-body -si -H "Authorization: Bearer $SOKU_API_KEY" "${gateway}/orders?page=2"`;
}

export const gatewayRules = `[
  { "methods": ["GET"], "path": "/files/*", "scopes": ["files:read"] },
  { "path": "/files/*", "scopes": ["files:read", "files:write"] },
  { "path": "/internal/*", "deny": true }
]`;

export const reloadCommands = {
  nginx: 'nginx -t && systemctl reload nginx',
  haproxy: 'haproxy -c -f /etc/haproxy/haproxy.cfg && systemctl reload haproxy',
  caddy: 'caddy validate --config /etc/caddy/Caddyfile && systemctl reload caddy',
};

export const verifyCommand = `curl --fail-with-body -s -X POST http://localhost:3000/v1/verify \\
  -H "Authorization: Bearer $SOKU_VERIFY_KEY" -H 'Content-Type: application/json' \\
  -d "{\\"apiKey\\": \\"$SOKU_API_KEY\\", \\"ip\\": \\"203.0.113.7\\"}" | grep '"valid":true'`;

export const proxyCheckCommands = [
  {
    label: 'Valid key',
    code: 'curl --fail-with-body -i -H "Authorization: Bearer $SOKU_API_KEY" http://localhost:8080/',
  },
  { label: 'No key', code: 'curl -i http://localhost:8080/ | grep missing_authorization' },
  {
    label: 'Preview instead of the key',
    code: 'curl -i -H "Authorization: Bearer sk_live_abc...xyz" http://localhost:8080/ | grep key_preview',
  },
];
