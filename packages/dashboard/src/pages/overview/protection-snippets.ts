/** Ways to protect an API with this deployment. The API is expected on port 4000. test/browser/protection-snippets.test.ts runs them. */
import type { Snippet } from '../../components/Code.tsx';
import { gatewayUrl } from '../help/protect/adapt-examples.ts';

function nginxSnippet(origin: string): string {
  return `location / {
    auth_request /_soku/verify;
    auth_request_set $soku_key_id $upstream_http_x_soku_key_id;
    proxy_set_header X-Soku-Key-Id $soku_key_id;
    proxy_set_header Authorization "";
    proxy_pass http://127.0.0.1:4000;
}

location = /_soku/verify {
    internal;
    proxy_pass ${origin}/v1/verify;
    proxy_ssl_server_name on;
    proxy_pass_request_body off;
    proxy_set_header Content-Length "";
    proxy_set_header Cookie "";
    proxy_set_header X-Original-URI $request_uri;
    proxy_set_header X-Original-Method $request_method;
}`;
}

function backEndSnippet(origin: string): string {
  return `import { createServer } from 'node:http';

createServer(async (request, response) => {
  const { authorization } = request.headers;
  const check = await fetch('${origin}/v1/verify', {
    headers: authorization ? { authorization } : {},
  }).catch(() => null);
  // Without a response from Soku, no request is accepted.
  if (check?.status !== 204) {
    response.writeHead(check?.status ?? 503, { 'Content-Type': 'application/json' });
    response.end(await check?.text());
    return;
  }
  response.end(\`Hello, \${check.headers.get('x-soku-key-id')}\\n\`);
}).listen(4000, '127.0.0.1');`;
}

function gatewaySnippet(origin: string): string {
  return `# Start Soku with the address of your API:
export SOKU_GATEWAY_UPSTREAM=http://127.0.0.1:4000

# Then call your API through the gateway:
curl ${gatewayUrl(origin)}/ -H "Authorization: Bearer $SOKU_API_KEY"`;
}

export function protectionSnippets(origin: string): Snippet[] {
  return [
    {
      label: 'nginx',
      code: nginxSnippet(origin),
      note: `A minimal configuration. The one under "Protect an API" also returns Soku's errors and rate limits to the client.`,
    },
    {
      label: 'Back end',
      code: backEndSnippet(origin),
      note: 'A server for Node.js. Any language can send the same request.',
    },
    {
      label: 'Gateway',
      code: gatewaySnippet(origin),
      note: 'The gateway listens on its own port. It can also require scopes.',
    },
  ];
}
