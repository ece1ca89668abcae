import { createServer } from 'node:http';

const soku = process.env.SOKU_URL ?? 'http://localhost:3000';
const statuses = {
  disabled_key: 403,
  insufficient_scope: 403,
  ip_not_allowed: 403,
  wrong_environment: 403,
  rate_limited: 429,
};

async function verify(apiKey, ip) {
  const response = await fetch(`${soku}/v1/verify`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${process.env.SOKU_VERIFY_KEY}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ apiKey, ip }),
  }).catch(() => null);
  // If Soku cannot be reached, the key is not verified and never accepted.
  return response?.ok ? await response.json() : { valid: false, code: 'verification_unavailable' };
}

createServer(async (request, response) => {
  const { valid, code, message, key } = await verify(
    request.headers['x-legacy-key'] ?? '',
    request.socket.remoteAddress,
  );
  if (valid) {
    response.end(`Hello, ${key.name}\n`);
    return;
  }
  const status = code === 'verification_unavailable' ? 503 : (statuses[code] ?? 401);
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: { code, message } }));
}).listen(process.env.PORT ?? 4000, '127.0.0.1');
