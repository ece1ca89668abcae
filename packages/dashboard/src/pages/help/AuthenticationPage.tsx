import { Link } from '@tanstack/react-router';
import { usePublicUrl, useSession } from '../../api/session.ts';
import { Code, CodeTabs } from '../../components/Code.tsx';
import { callSnippets } from '../../components/snippets.ts';
import { HelpPage, HelpSection } from './HelpPage.tsx';
import { RateLimits } from './RateLimits.tsx';

export function AuthenticationPage() {
  const session = useSession();
  const origin = usePublicUrl();
  const prefix = session?.keyPrefix ?? 'sk_live_';
  return (
    <HelpPage title="Authentication" lead="Send the key in one header with every request.">
      <HelpSection id="header" title="Send the key">
        <Code label="header" code={`Authorization: Bearer ${prefix}...`} />
        <p>
          Send the word <code translate="no">Bearer</code>, exactly one space and the full key, without
          quotes. These snippets read the key from the environment variable{' '}
          <code translate="no">SOKU_API_KEY</code>:
        </p>
        <CodeTabs label="Call the API" snippets={callSnippets(origin)} />
      </HelpSection>
      <HelpSection id="check" title="Check a key">
        <p>
          <code translate="no">GET /v1/me</code> returns the details of the key that you send. Use it to check
          whether a key works, which key it is and how much of its rate limit is left:
        </p>
        <Code label="response" code={meResponse(prefix)} />
      </HelpSection>
      <HelpSection id="refused" title="When a request is rejected">
        <p>
          A request without a valid key is rejected with <code translate="no">401 Unauthorized</code>. The
          response has a code and a message that say why, and a request ID that is also in the header{' '}
          <code translate="no">X-Request-Id</code>:
        </p>
        <Code label="error" code={errorResponse} />
        <p>
          In programs, check the <code translate="no">code</code>, which is stable. The{' '}
          <code translate="no">message</code> is for people and may change. It never contains the key. All
          codes are listed under <Link to="/help/api-troubleshooting">Troubleshooting</Link>.
        </p>
      </HelpSection>
      <HelpSection id="not" title="What is not accepted">
        <ul className="prose__list">
          <li>
            A key in the URL, such as <code translate="no">?api_key=</code>: URLs are logged by proxies and
            servers.
          </li>
          <li>
            A key in another header, such as <code translate="no">X-API-Key</code>.
          </li>
          <li>
            A key with a scheme other than Bearer, such as <code translate="no">Basic</code> or{' '}
            <code translate="no">Token</code>, or without a scheme.
          </li>
          <li>A call from a web page of another origin: never use a secret key in a browser.</li>
        </ul>
      </HelpSection>
      <RateLimits />
      <HelpSection id="scopes" title="Scopes">
        <p>
          Most keys need no built-in scopes: they call your API and cannot manage keys. Programs that manage
          keys need <code translate="no">keys:read</code> or <code translate="no">keys:write</code>;{' '}
          <code translate="no">keys:verify</code> allows checking whether another key is valid, and{' '}
          <code translate="no">audit:read</code> allows reading the audit log. A call without the required
          scope is rejected with <code translate="no">403</code> and the code{' '}
          <Link to="/help/api-troubleshooting" hash="insufficient_scope">
            insufficient_scope
          </Link>
          .
        </p>
        <p>
          The <Link to="/docs">API reference</Link> lists the scope that each call needs.
        </p>
      </HelpSection>
    </HelpPage>
  );
}

const errorResponse = `HTTP/1.1 401 Unauthorized
WWW-Authenticate: Bearer realm="soku"

{
  "error": {
    "type": "authentication_error",
    "code": "missing_bearer",
    "message": "...",
    "timestamp": "2030-01-31T12:00:00.000Z",
    "requestId": "req_..."
  }
}`;

function meResponse(prefix: string): string {
  return `{
  "key": {
    "id": "key_...",
    "name": "Production Server",
    "preview": "${prefix}abc...xyz",
    "status": "active",
    "environment": "live",
    "scopes": [],
    "createdAt": "2030-01-31T12:00:00.000Z",
    "createdBy": "...",
    "lastUsedAt": "2030-01-31T12:00:00.000Z",
    "expiresAt": null,
    "disabledAt": null,
    "revokedAt": null,
    "revokedReason": null,
    "allowedAddresses": [],
    "rateLimit": null,
    "externalId": null,
    "metadata": {},
    "secrets": [{ "id": "sec_...", ... }]
  },
  "workspace": { "id": "...", "name": "..." },
  "limits": {
    "rateLimit": { "limit": 1000, "remaining": 942, "resetSeconds": 17 }
  }
}`;
}
