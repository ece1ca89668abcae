import { Link } from '@tanstack/react-router';
import { useSession } from '../../api/session.ts';
import { Code, CodeTabs } from '../../components/Code.tsx';
import { callSnippets } from '../../components/snippets.ts';
import { HelpPage, Part } from './HelpPage.tsx';
import { Limits } from './Limits.tsx';

export function AuthenticationPage() {
  const session = useSession();
  const origin = session?.publicUrl ?? window.location.origin;
  const prefix = session?.keyPrefix ?? 'sk_live_';
  return (
    <HelpPage title="Authentication" lead="One header, the same for every call.">
      <Part id="header" title="Send the key">
        <Code label="header" code={`Authorization: Bearer ${prefix}...`} />
        <p>
          The word <code translate="no">Bearer</code>, exactly one space, and the whole key, without quotes.
          In snippets the key stays in the environment variable <code translate="no">SOKU_API_KEY</code>:
        </p>
        <CodeTabs label="Call the API" snippets={callSnippets(origin)} />
      </Part>
      <Part id="check" title="Check a key">
        <p>
          <code translate="no">GET /v1/me</code> answers with the key that you used, so it shows whether the
          key works, which one it is, and where it stands with its limit:
        </p>
        <Code label="answer" code={meAnswer(prefix)} />
      </Part>
      <Part id="refused" title="When a request is refused">
        <p>
          A refused request is answered <code translate="no">401 Unauthorized</code>, with a code and a
          message that say why, and a request id that is also in the header{' '}
          <code translate="no">X-Request-Id</code>:
        </p>
        <Code label="error" code={errorAnswer} />
        <p>
          Programs should look at <code translate="no">code</code>, which does not change; people at{' '}
          <code translate="no">message</code>, which may. The message never repeats the key. All codes are
          under <Link to="/help/api-troubleshooting">Troubleshooting</Link>.
        </p>
      </Part>
      <Part id="not" title="What is not accepted">
        <ul className="prose__list">
          <li>
            A key in the URL, such as <code translate="no">?api_key=</code>: URLs are written to logs on the
            way.
          </li>
          <li>
            A key in another header, such as <code translate="no">X-API-Key</code>.
          </li>
          <li>
            A key after another scheme, such as <code translate="no">Basic</code> or{' '}
            <code translate="no">Token</code>, or without any.
          </li>
          <li>A call from a web page of another origin: a secret key does not belong into a browser.</li>
        </ul>
      </Part>
      <Limits />
      <Part id="scopes" title="Scopes">
        <p>
          An ordinary key has no scopes: it opens the API and manages nothing. For programs that manage keys
          there are <code translate="no">keys:read</code> and <code translate="no">keys:write</code>;{' '}
          <code translate="no">keys:verify</code> is for asking whether another key is good, and{' '}
          <code translate="no">audit:read</code> for reading the audit log. A key without the scope that a
          call needs is answered <code translate="no">403</code> with the code{' '}
          <Link to="/help/api-troubleshooting" hash="insufficient_scope">
            insufficient_scope
          </Link>
          .
        </p>
        <p>
          Which scope a call needs is in the <Link to="/docs">API reference</Link>.
        </p>
      </Part>
    </HelpPage>
  );
}

const errorAnswer = `HTTP/1.1 401 Unauthorized
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

function meAnswer(prefix: string): string {
  return `{
  "key": {
    "id": "key_...",
    "name": "Production Server",
    "preview": "${prefix}abc...xyz",
    "status": "active",
    "scopes": [],
    "createdAt": "2030-01-31T12:00:00.000Z",
    "createdBy": "...",
    "lastUsedAt": "2030-01-31T12:00:00.000Z",
    "expiresAt": null,
    "revokedAt": null,
    "rateLimit": null
  },
  "workspace": { "id": "...", "name": "..." },
  "limits": {
    "rateLimit": { "limit": 1000, "remaining": 942, "resetSeconds": 17 }
  }
}`;
}
