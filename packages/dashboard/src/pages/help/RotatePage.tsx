import { Link } from '@tanstack/react-router';
import { HelpPage, HelpSection } from './HelpPage.tsx';

export function RotatePage() {
  return (
    <HelpPage
      title="Rotate a key"
      lead="Replace the secret of a key while your programs keep working. The key keeps its name, scopes, limits and history."
    >
      <HelpSection id="when" title="When to rotate">
        <ul className="prose__list">
          <li>
            <strong>The secret was lost.</strong> It cannot be shown again. Rotate the key to get a new one.
          </li>
          <li>
            <strong>Someone who knew it has left,</strong> or it was stored where too many people can read it.
          </li>
          <li>
            <strong>Regularly,</strong> so that copies you don't know about stop working.
          </li>
        </ul>
        <p>
          If the secret has leaked, do not wait for a grace period:{' '}
          <Link to="." hash="leaked">
            stop it at once
          </Link>
          .
        </p>
      </HelpSection>
      <HelpSection id="steps" title="Step by step">
        <ol className="prose__list prose__list--numbered">
          <li>
            Open the key under <Link to="/settings/api">{'Settings > API'}</Link> and choose{' '}
            <strong>Rotate</strong>.
          </li>
          <li>
            Choose how long the old secret keeps working, and choose <strong>Rotate key</strong>.
          </li>
          <li>Copy the new secret. It is shown once.</li>
          <li>Replace the old secret where your program reads it, and restart or redeploy the program.</li>
          <li>
            Open the key's <strong>Secrets</strong> tab. It shows how many requests use each secret, and which
            program still sends the old one.
          </li>
          <li>
            The old secret stops working when its grace period ends. To end it earlier, choose{' '}
            <strong>Retire now</strong>.
          </li>
        </ol>
      </HelpSection>
      <GracePeriod />
      <HelpSection id="unfinished" title="Unfinished rotations">
        <p>
          If no program uses the new secret within an hour, the page of the key says that the rotation is
          unfinished. Usually the program was not restarted, or it reads the secret from another place. Until
          the first use of the new secret, the old one keeps working, unless the grace period was set to start
          now.
        </p>
        <p>
          If the new secret was not stored, rotate again. A key can have up to five secrets that are accepted.
          A later rotation never gives an older secret more time than it had.
        </p>
      </HelpSection>
      <HelpSection id="leaked" title="If the secret has leaked">
        <p>
          Choose <strong>Not at all: it stops working now</strong> when you rotate. When the new secret is
          shown, no server accepts the old one anymore. Your programs fail with 401 until they have the new
          one. If the key is no longer needed,{' '}
          <Link to="/help/api-key-management" hash="leak">
            revoke it
          </Link>{' '}
          instead.
        </p>
      </HelpSection>
      <HelpSection id="api" title="Rotate with a program">
        <p>
          A program that stores secrets in a vault can rotate its key with{' '}
          <code translate="no">POST /v1/api-keys/{'{id}'}/rotate</code>, with a key that has the scope{' '}
          <code translate="no">keys:write</code>. Send an <code translate="no">Idempotency-Key</code>, so that
          a repeated call does not rotate twice. <Link to="/docs">API reference</Link>
        </p>
      </HelpSection>
    </HelpPage>
  );
}

function GracePeriod() {
  return (
    <HelpSection id="grace" title="How long the old secret keeps working">
      <p>This grace period can start in two ways:</p>
      <ul className="prose__list">
        <li>
          <strong>With the first use of the new secret.</strong> This is the default of the dialog. A
          deployment that is late or fails breaks nothing, because the old secret works until a program has
          used the new one.
        </li>
        <li>
          <strong>Now.</strong> The old secret stops at a fixed time, whether or not the new one is in use.
          Choose this if the old secret must be gone by then.
        </li>
      </ul>
      <p>
        The dashboard's <strong>Test key</strong> and <code translate="no">GET /v1/me</code> do not count as
        the first use. After the grace period, requests with the old secret are rejected with 401 and the code{' '}
        <Link to="/help/api-troubleshooting" hash="revoked_key">
          <code translate="no">revoked_key</code>
        </Link>
        .
      </p>
    </HelpSection>
  );
}
