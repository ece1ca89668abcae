import { isStripePrefix } from '@soku/key';
import { Link } from '@tanstack/react-router';
import { useSession } from '../../api/session.ts';
import { Code } from '../../components/Code.tsx';
import { AuditLog } from './AuditLog.tsx';
import { HelpPage, Part } from './HelpPage.tsx';
import { KeepingSecret } from './KeepingSecret.tsx';
import { examplePreview, KeyAnatomy } from './KeyAnatomy.tsx';

export function KeyManagementPage() {
  const prefix = useSession()?.keyPrefix ?? 'sk_live_';
  return (
    <HelpPage
      title="API key management"
      lead="How to make, keep, replace and end the keys with which your programs call the API."
    >
      <Part id="make" title="Make a key">
        <ol className="prose__list prose__list--numbered">
          <li>
            Open <Link to="/settings/api">Settings, API</Link> and choose Generate New Key.
          </li>
          <li>
            Name it after the program and the place where it runs, such as "Production Server". Choose Create.
          </li>
          <li>Copy the key and put it where the program reads it from. It is not shown a second time.</li>
        </ol>
        <p>
          Making a key needs a sign-in from the last two hours. If yours is older, the page asks for the
          password.
        </p>
      </Part>
      <Part id="anatomy" title="What a key looks like">
        <KeyAnatomy prefix={prefix} />
        <p>
          The prefix lets people, and programs that scan for leaked secrets, recognise a key. The random part
          has 154 bits and cannot be guessed. The checksum tells a mistyped or cut-off key at once, without
          asking a database.
        </p>
        <p>
          In lists and logs you see only the preview, such as{' '}
          <code translate="no">{examplePreview(prefix)}</code>: it names a key and opens nothing.
        </p>
      </Part>
      <Part id="practice" title="Good practice">
        <ul className="prose__list">
          <li>
            <strong>One key for each program.</strong> When one leaks, you revoke that one, and the others go
            on.
          </li>
          <li>
            <strong>Names that say where.</strong> "CI/CD Pipeline" and "Staging" tell whom to ask. A key can
            be renamed at any time; only the name changes.
          </li>
          <li>
            <strong>An expiry date for what is temporary.</strong> Under Expiry, limit and scopes, when you
            make the key. The overview tells you two weeks before one expires.
          </li>
          <li>
            <strong>A limit for what should stay small.</strong> A key can have its own number of requests a
            minute; without one, the number of the workspace holds.{' '}
            <Link to="/help/authentication" hash="limits">
              What a program sees of it
            </Link>
          </li>
          <li>
            <strong>No scopes, unless the program manages keys.</strong> An ordinary key needs none.
          </li>
          <li>
            <strong>Revoke what is not used.</strong> It cannot leak then. The list tells when each key was
            last used.
          </li>
        </ul>
      </Part>
      <KeyUse />
      <AuditLog />
      <KeepingSecret />
      <Part id="replace" title="Replace a key without an outage">
        <p>Two keys can be active side by side, so nothing has to stop:</p>
        <ol className="prose__list prose__list--numbered">
          <li>Make a second key for the same program.</li>
          <li>Put it in the place of the old one, and restart or redeploy the program.</li>
          <li>
            Check that the program works, for example with <code translate="no">GET /v1/me</code>: the answer
            names the key in use.
          </li>
          <li>Revoke the old key.</li>
        </ol>
        <p>Do the same when a key is lost: nobody can show it again.</p>
      </Part>
      <Leak prefix={prefix} />
      <Part id="stored" title="What Soku stores">
        <p>
          Of the key itself only its SHA-256 fingerprint, and the characters of the preview. With a copy of
          the whole database nobody can make one accepted request. Beside that: the name, the scopes, who made
          it, and when it was made, expires, or was revoked; how many requests it made in each hour of the
          last 90 days; and of the last request the time, the address and the name of the program.
        </p>
      </Part>
    </HelpPage>
  );
}

function KeyUse() {
  return (
    <Part id="use" title="See what a key is used for">
      <p>
        The page of a key (choose its name in the list) shows the accepted and the refused requests of every
        hour, and the last accepted one: when, from which address, and with which program. Before you revoke a
        key, you are told who would notice.
      </p>
      <p>
        Refused are requests that Soku turned away although it knows the key: it was revoked or has expired,
        lacks a scope, or was over its limit. A revoked key goes on counting them, so that you see whether
        something still tries.
      </p>
    </Part>
  );
}

function Leak({ prefix }: { prefix: string }) {
  return (
    <Part id="leak" title="When a key has leaked">
      <ol className="prose__list prose__list--numbered">
        <li>
          <strong>Revoke it now</strong>, before you look for the cause. When Soku says that it is revoked, no
          server accepts it any more. This cannot be undone.{' '}
          <span>
            If you don't know which key it is, paste it into the search field of{' '}
            <Link to="/settings/api">Settings, API</Link>: only its fingerprint is sent.
          </span>
        </li>
        <li>Make a new key and put it into the program.</li>
        <li>
          Remove the old key from where it leaked. In a repository it stays in the history, which is why
          revoking comes first.
        </li>
        <li>
          Look at the page of the key for requests that were not yours, and in the logs of your API for what
          they did.
        </li>
      </ol>
      <p>To search a folder for keys:</p>
      <Code label="search command" code={`grep -rE "${prefix}[0-9A-Za-z]{32}" .`} />
      {isStripePrefix(prefix) ? (
        <p>
          Stripe's keys begin the same way. If a scanner such as gitleaks or GitHub reports a leaked Stripe
          key that you don't know, search for it in the same way: it may be one of yours.
        </p>
      ) : null}
    </Part>
  );
}
