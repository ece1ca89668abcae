import caddyExample from '../../../../../../examples/caddy/Caddyfile?raw';
import envoyExample from '../../../../../../examples/envoy/envoy.yaml?raw';
import haproxyConfig from '../../../../../../examples/haproxy/haproxy.cfg?raw';
import haproxyLua from '../../../../../../examples/haproxy/soku.lua?raw';
import nginxExample from '../../../../../../examples/nginx/soku.conf?raw';
import { Code, CodeTabs } from '../../../components/Code.tsx';
import { HelpSection } from '../HelpPage.tsx';
import {
  adaptCaddyExample,
  adaptEnvoyExample,
  adaptHaproxyExample,
  adaptNginxExample,
  parseSokuUrl,
} from './adapt-examples.ts';
import { reloadCommands } from './commands.ts';

/** One section for each proxy, with the file that the tests run. */
export function ProxySections({ origin }: { origin: string }) {
  const url = parseSokuUrl(origin);
  return (
    <>
      <HelpSection id="nginx" title="nginx">
        <p>
          Save this file as <code translate="no">/etc/nginx/conf.d/soku.conf</code>, and change the address in{' '}
          <code translate="no">upstream api</code> to that of your API:
        </p>
        <Code
          head="/etc/nginx/conf.d/soku.conf"
          label="configuration of nginx"
          code={adaptNginxExample(nginxExample, url).trimEnd()}
        />
        <Code label="command to reload nginx" code={reloadCommands.nginx} />
      </HelpSection>
      <HelpSection id="haproxy" title="HAProxy">
        <p>
          Save both files in <code translate="no">/etc/haproxy/</code>, and change the address in{' '}
          <code translate="no">backend api</code> to that of your API:
        </p>
        <CodeTabs
          label="Files for HAProxy"
          snippets={[
            { label: 'haproxy.cfg', code: haproxyConfig.trimEnd() },
            { label: 'soku.lua', code: adaptHaproxyExample(haproxyLua, url).trimEnd() },
          ]}
        />
        <Code label="command to reload HAProxy" code={reloadCommands.haproxy} />
      </HelpSection>
      <HelpSection id="caddy" title="Caddy">
        <p>
          Save this file as <code translate="no">/etc/caddy/Caddyfile</code>. Change the address of your API,
          and replace <code translate="no">:8080</code> with the name of your site to get TLS:
        </p>
        <Code
          head="/etc/caddy/Caddyfile"
          label="configuration of Caddy"
          code={adaptCaddyExample(caddyExample, url).trimEnd()}
        />
        <Code label="command to reload Caddy" code={reloadCommands.caddy} />
      </HelpSection>
      <HelpSection id="envoy" title="Envoy">
        <p>
          Envoy calls Soku with its <code translate="no">ext_authz</code> filter. Change the address of the
          cluster <code translate="no">api</code> to that of your API:
        </p>
        <Code
          head="envoy.yaml"
          label="configuration of Envoy"
          code={adaptEnvoyExample(envoyExample, url).trimEnd()}
        />
        <p>
          Envoy sends the client's <code translate="no">Host</code> to Soku. If a proxy in front of Soku
          selects sites by <code translate="no">Host</code>, use an address behind that proxy.
        </p>
      </HelpSection>
    </>
  );
}
