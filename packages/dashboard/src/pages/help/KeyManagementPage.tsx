import { isStripePrefix } from '@soku/key';
import { Link } from '@tanstack/react-router';
import { useSession } from '../../api/session.ts';
import { Code } from '../../components/Code.tsx';
import { AuditLog } from './AuditLog.tsx';
import { HelpPage, HelpSection } from './HelpPage.tsx';
import { examplePreview, KeyAnatomy } from './KeyAnatomy.tsx';
import { KeyStorage } from './KeyStorage.tsx';

export function KeyManagementPage() {
  const prefix = useSession()?.keyPrefix ?? 'sk_live_';
  return (
    <HelpPage
      title="API key management"
      lead="How to create, store, replace and revoke the keys that your programs use to call the API."
    >
      <HelpSection id="make" title="Create a key">
        <ol className="prose__list prose__list--numbered">
          <li>
            Open <Link to="/settings/api">{'Settings > API'}</Link> and choose{' '}
            <strong>Generate New Key</strong>.
          </li>
          <li>
            Name it after the program and where it runs, such as "Production Server". Choose{' '}
            <strong>Create</strong>.
          </li>
          <li>Copy the key and store it where the program reads it. The key is not shown again.</li>
        </ol>
        <p>
          To create a key, you must have signed in within the last two hours. Otherwise, the page asks for
          your password.
        </p>
      </HelpSection>
      <HelpSection id="anatomy" title="What a key looks like">
        <KeyAnatomy prefix={prefix} />
        <p>
          The prefix lets people and secret scanners recognize a key. The random part has 154 bits and cannot
          be guessed. The checksum reveals a mistyped or truncated key immediately, without a database lookup.
        </p>
        <p>
          Lists and logs show only the preview, such as <code translate="no">{examplePreview(prefix)}</code>.
          It identifies a key and grants no access.
        </p>
      </HelpSection>
      <HelpSection id="practice" title="Best practices">
        <ul className="prose__list">
          <li>
            <strong>Use a separate key for each program.</strong> If one key leaks, you revoke only that key,
            and the other programs keep working.
          </li>
          <li>
            <strong>Name keys after where they run.</strong> Names such as "CI/CD Pipeline" and "Staging" show
            what stops working when you revoke the key. You can rename a key at any time; only the name
            changes.
          </li>
          <li>
            <strong>Set an expiration date for temporary keys.</strong> Choose it when you create the key, or
            later on its page, under "Access". The list marks keys two weeks before they expire, and the
            overview names them a week before.
          </li>
          <li>
            <strong>Limit programs that send few requests.</strong> A key can have its own rate limit.
            Otherwise, the default of the workspace applies.{' '}
            <Link to="/help/authentication" hash="limits">
              How programs see their rate limit
            </Link>
          </li>
          <li>
            <strong>Grant only the scopes that a program needs.</strong> Only programs that manage or verify
            keys, or read the audit log, need built-in scopes.
          </li>
          <li>
            <strong>Revoke unused keys.</strong> A revoked key cannot be misused. The list shows when each key
            was last used, and a filter finds{' '}
            <Link to="/settings/api" search={{ unusedDays: 90 }}>
              keys that have not been used for 90 days
            </Link>
            .
          </li>
        </ul>
      </HelpSection>
      <KeyUse />
      <AuditLog />
      <KeyStorage />
      <HelpSection id="replace" title="Replace a key without downtime">
        <p>
          Rotate the key: it gets a new secret, and the old one keeps working until your programs have the new
          one. Do the same if you lose a key, because it cannot be shown again.{' '}
          <Link to="/help/rotate-a-key">How to rotate a key</Link>
        </p>
      </HelpSection>
      <Leak prefix={prefix} />
      <HelpSection id="stored" title="What Soku stores">
        <p>
          Of the key itself, Soku stores only its SHA-256 fingerprint and the characters of the preview. A
          copy of the database cannot be used to call your API. Soku also stores the settings of the key, who
          created it, when it was created, expires or was revoked, and its usage: requests per hour, the
          busiest IP addresses and programs per day (both for 90 days, unless the operator changed this), and
          the time, IP address and user agent of the last accepted request.
        </p>
      </HelpSection>
    </HelpPage>
  );
}

function KeyUse() {
  return (
    <HelpSection id="use" title="See what a key is used for">
      <p>
        A key's page (choose its name in the list) shows its accepted and rejected requests by hour, and the
        time, IP address and user agent of the last accepted request. The dialog that revokes a key shows how
        it was used in the last 24 hours.
      </p>
      <p>
        Rejected requests are those whose key is known but was not accepted, for example because it was
        revoked, expired, disabled, over its rate limit or missing a required scope. They are still counted
        after a key is revoked, so you can see whether a program still uses it.
      </p>
    </HelpSection>
  );
}

function Leak({ prefix }: { prefix: string }) {
  return (
    <HelpSection id="leak" title="When a key has leaked">
      <ol className="prose__list prose__list--numbered">
        <li>
          <strong>Revoke it now</strong>, before you look for the cause. Once Soku reports that the key is
          revoked, no server accepts it. This cannot be undone.{' '}
          <span>
            If you don't know which key it is, paste it into the search field under{' '}
            <Link to="/settings/api">{'Settings > API'}</Link>. Only its fingerprint is sent.
          </span>
        </li>
        <li>Create a new key and deploy it to the program.</li>
        <li>
          Remove the old key from where it leaked. It remains in the history of a repository, which is why you
          revoke it first.
        </li>
        <li>
          Check the page of the key for requests that were not yours, and the logs of your API for what they
          did.
        </li>
      </ol>
      <p>To search a folder for keys:</p>
      <Code label="search command" code={`grep -rE "${prefix}[0-9A-Za-z]{32}" .`} />
      {isStripePrefix(prefix) ? (
        <p>
          Stripe's keys start with the same prefix. If a scanner such as gitleaks or GitHub reports a leaked
          Stripe key that you don't recognize, paste it into the search field described above: it may be one
          of your keys.
        </p>
      ) : null}
    </HelpSection>
  );
}
