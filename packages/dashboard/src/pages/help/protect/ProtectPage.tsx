import './ProtectPage.css';
import { Link } from '@tanstack/react-router';
import backEndExample from '../../../../../../examples/back-end/back-end.mjs?raw';
import { usePublicUrl } from '../../../api/session.ts';
import { Code, CodeTabs } from '../../../components/Code.tsx';
import { HelpPage, HelpSection } from '../HelpPage.tsx';
import { gatewayUrl, insertOrigin } from './adapt-examples.ts';
import {
  callGatewayCommand,
  gatewayRules,
  proxyCheckCommands,
  startGatewayCommand,
  verifyCommand,
} from './commands.ts';
import { ProxySections } from './Proxies.tsx';

export function ProtectPage() {
  const origin = usePublicUrl();
  return (
    <HelpPage
      title="Protect an API"
      lead="Soku checks the key of each request before your API handles it. Choose the option that fits your setup."
    >
      <Ways />
      <Gateway origin={origin} />
      <ProxySections origin={origin} />
      <BackEnd origin={origin} />
      <HelpSection id="check" title="Check that it works">
        <p>
          With one of the proxies above on port 8080, and a key in <code translate="no">SOKU_API_KEY</code>:
        </p>
        <CodeTabs label="Check the proxy" snippets={proxyCheckCommands} />
        <p>
          If a request is rejected, its response says why. All codes are listed under{' '}
          <Link to="/help/api-troubleshooting">Troubleshooting</Link>.
        </p>
      </HelpSection>
      <Rules />
    </HelpPage>
  );
}

function Ways() {
  return (
    <HelpSection id="ways" title="Choose an option">
      <dl className="protect-options">
        <div>
          <dt>
            <a href="#gateway">Gateway</a>
          </dt>
          <dd>
            You have no proxy in front of your API. Soku listens on a second port and forwards requests.
          </dd>
        </div>
        <div>
          <dt>
            <a href="#nginx">nginx</a>, <a href="#haproxy">HAProxy</a>, <a href="#caddy">Caddy</a>,{' '}
            <a href="#envoy">Envoy</a>
          </dt>
          <dd>You already run a proxy. It verifies each request with Soku (forward-auth).</dd>
        </div>
        <div>
          <dt>
            <a href="#back-end">Back end</a>
          </dt>
          <dd>Your own code holds the key, for example from a queue or another header.</dd>
        </div>
      </dl>
      <p>
        The examples expect your API at <code translate="no">127.0.0.1:4000</code>. They contain the public
        URL of this deployment; if a program reaches Soku directly, at an internal URL, use that URL.
      </p>
    </HelpSection>
  );
}

function Gateway({ origin }: { origin: string }) {
  return (
    <HelpSection id="gateway" title="Gateway">
      <p>Start Soku with the address of your API. The gateway listens on port 3001:</p>
      <Code label="command to start the gateway" code={startGatewayCommand} />
      <p>Then call your API through it:</p>
      <Code label="call through the gateway" code={callGatewayCommand(gatewayUrl(origin))} />
      <p>
        Without rules, every valid key can send any request. To require scopes, set{' '}
        <code translate="no">SOKU_GATEWAY_RULES</code> to the path of a file like this one. The first rule
        that matches decides:
      </p>
      <Code label="gateway rules" code={gatewayRules} />
    </HelpSection>
  );
}

function BackEnd({ origin }: { origin: string }) {
  return (
    <HelpSection id="back-end" title="Back end">
      <p>
        A back end needs its own key with the scope <code translate="no">keys:verify</code>.{' '}
        <Link to="/settings/api" search={{ panel: 'generate' }}>
          Create it
        </Link>
        , and store it in <code translate="no">SOKU_VERIFY_KEY</code>. Then verify the key of a client:
      </p>
      <Code label="command to verify a key" code={insertOrigin(verifyCommand, origin)} />
      <p>A complete back end for Node.js, without dependencies. Any language can send the same request:</p>
      <Code head="back-end.mjs" label="back-end.mjs" code={insertOrigin(backEndExample, origin).trimEnd()} />
      <p>
        The <Link to="/docs">API reference</Link> lists all fields of{' '}
        <code translate="no">POST /v1/verify</code>, which can also verify up to 100 keys in one call.
      </p>
    </HelpSection>
  );
}

function Rules() {
  return (
    <HelpSection id="rules" title="Good to know">
      <ul className="prose__list">
        <li>
          <strong>Never cache a result.</strong> A key can be revoked at any time, and only Soku knows when.
        </li>
        <li>
          <strong>Reject when Soku does not respond.</strong> All examples do this, with{' '}
          <code translate="no">503</code>.
        </li>
        <li>
          <strong>Make your API reachable through the proxy only.</strong> It can trust{' '}
          <code translate="no">X-Soku-Key-Id</code> and the other identity headers only then.
        </li>
        <li>
          <strong>Name the proxy in TRUST_PROXY.</strong> Otherwise all clients share one address, and one
          limit on invalid keys.
        </li>
        <li>
          <strong>Limit long streams.</strong> Soku checks a request when it starts. A stream that is already
          open continues after its key is revoked.
        </li>
      </ul>
    </HelpSection>
  );
}
