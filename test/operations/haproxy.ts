import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProxyProcess, type Recipe } from '../proxies/proxy.ts';
import { eventually } from '../support/contract.ts';
import type { Program } from '../support/debian.ts';
import { call } from '../support/person.ts';

interface Balanced {
  /** A configuration in the repository. */
  configuration: string;
  /** Matches the address of a server in it; the first group is its number, from 1. */
  server: RegExp;
  /** Ports of the servers on 127.0.0.1. */
  ports: readonly string[];
  /** Its own port. Default: a free one. */
  port?: number;
}

/** Starts HAProxy in front of servers, and resolves when one of them responds through it. */
export async function startHaproxy(
  program: Program,
  { configuration, server, ports, port }: Balanced,
): Promise<ProxyProcess> {
  const recipe: Recipe = {
    program: 'haproxy',
    page: 'docs/operations/load-balancer.md',
    examples: [configuration],
    openBefore: '',
    scopesBefore: '',
    prepare: (folder) => {
      // Compose sets this variable to the gateway of the network.
      writeFileSync(join(folder, 'gateway.cfg'), 'global\n    setenv NETWORK_GATEWAY 127.0.0.1\n');
      return ['-db', '-f', join(folder, 'gateway.cfg'), '-f', join(folder, 'haproxy.cfg')];
    },
  };
  const edit = (text: string) =>
    text.replaceAll(server, (_all, n: string) => `127.0.0.1:${ports[Number(n) - 1]}`);
  const placement = { soku: 0, api: 0, edit, ...(port === undefined ? {} : { port }) };
  const balancer = await ProxyProcess.start(recipe, program, placement);
  await eventually(
    async () => (await call(`${balancer.url}/readyz`)).status,
    (status) => status === 200,
  );
  return balancer;
}
