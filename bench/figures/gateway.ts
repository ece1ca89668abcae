import { readFileSync } from 'node:fs';
import { freePort } from '../../test/support/server.ts';
import {
  compareUnderLoad,
  defaultConnections,
  kiloRequestsPerCpuSecond,
  kiloRequestsPerSecond,
} from '../compare-under-load.ts';
import { abbreviateCount, type Figure, ratiosInPercent, type Sizes } from '../figure.ts';
import { keyAt, keyFiles, spreadEvenly } from '../keys.ts';
import { cores, requireCores, requireProgram } from '../machine.ts';
import { startSoku } from '../measured-programs.ts';
import { startNginx } from '../nginx.ts';
import { seededDataDir } from '../seeded.ts';
import { verifyEach } from '../verify-each.ts';
import type { LoadResult } from '../wrk.ts';

/** Connections of the loads whose latency is measured: one, and a few at once. */
const fewConnections = [1, 16];

/** The built-in gateway, and nginx with auth_request to Soku, compared with nginx without authentication. */
export async function measureGateway(sizes: Sizes): Promise<Figure[]> {
  requireCores();
  requireProgram('wrk');
  requireProgram('nginx');
  const inUse = spreadEvenly(sizes.keysInUse, sizes.keys).map(keyAt);
  using files = keyFiles();
  const keys = files.write(inUse);
  const gatewayPort = await freePort();

  // The protected API runs on the load's core, because in production it has its own machine.
  await using api = await startNginx(
    cores.load,
    (port) => `server { listen 127.0.0.1:${port}; location / { default_type text/plain; return 200 "ok"; } }`,
  );
  await using soku = await startSoku(await seededDataDir(sizes.keys), {
    SOKU_GATEWAY_UPSTREAM: api.url,
    SOKU_GATEWAY_PORT: String(gatewayPort),
  });
  await using open = await startNginx(cores.measured, (port) => openProxy(port, api.url));
  await using authRequest = await startNginx(cores.measured, (port) =>
    authRequestProxy(port, api.url, soku.url),
  );
  const warm = () => verifyEach(soku.url, inUse.values());

  const targets = {
    gateway: { ...soku, url: `http://127.0.0.1:${gatewayPort}`, path: '/', warm },
    authRequest: { ...authRequest, pids: [...authRequest.pids, ...soku.pids], path: '/', warm },
    open: { ...open, path: '/' },
    // Not stopped between its turns, because the others need it.
    direct: { ...api, pids: [], path: '/' },
  };
  const all = Object.values(targets);
  // The gateway is counted for long where a figure has a goal, so that the writes of usage have their usual share.
  const lasting = [
    { ...targets.gateway, sustained: true },
    targets.authRequest,
    targets.open,
    targets.direct,
  ];
  const load = { keys };
  const [byGateway, byAuthRequest, byOpen, byDirect] = await compareUnderLoad(lasting, load, sizes);
  const how = `${abbreviateCount(sizes.keysInUse)} random keys, ${defaultConnections} wrk connections, with the same upstream (an nginx on another core that returns two bytes) and keep-alive on both sides.`;
  const ours = { name: "Soku's gateway", values: kiloRequestsPerSecond(byGateway), unit: 'k/s' };
  const viaAuthRequest = {
    name: 'nginx with auth_request',
    values: kiloRequestsPerSecond(byAuthRequest),
    unit: 'k/s',
  };
  const viaOpenProxy = { name: 'nginx without keys', values: kiloRequestsPerSecond(byOpen), unit: 'k/s' };
  const viaNoProxy = { name: 'no proxy', values: kiloRequestsPerSecond(byDirect), unit: 'k/s' };
  const figures: Figure[] = [
    {
      name: 'requests per CPU second of the gateway',
      values: ratiosInPercent(kiloRequestsPerCpuSecond(byGateway), kiloRequestsPerCpuSecond(byOpen)),
      unit: '% of nginx without keys',
      goal: { atLeast: 35 },
      how: `${how} nginx has one worker. The CPU time of the proxy, without that of the upstream.`,
      sides: [
        { name: "Soku's gateway", values: kiloRequestsPerCpuSecond(byGateway), unit: 'k/CPU s' },
        { name: 'nginx without keys', values: kiloRequestsPerCpuSecond(byOpen), unit: 'k/CPU s' },
      ],
    },
    {
      name: 'the gateway',
      values: ratiosInPercent(ours.values, viaOpenProxy.values),
      unit: '% of nginx without keys',
      how: `${how} nginx has one worker.`,
      sides: [ours, viaNoProxy, viaOpenProxy],
    },
    {
      name: 'nginx with auth_request',
      values: ratiosInPercent(viaAuthRequest.values, viaOpenProxy.values),
      unit: '% of nginx without keys',
      how: `${how} The configuration of examples/nginx; nginx and Soku share one core.`,
      sides: [viaAuthRequest, viaOpenProxy],
    },
  ];
  for (const connections of fewConnections) {
    const some = connections === 1 ? lasting : all;
    figures.push(
      ...latencies(connections, await compareUnderLoad(some, { ...load, connections }, sizes), sizes),
    );
  }
  return figures;
}

/** The response time that a proxy adds, compared with the upstream without one. */
function latencies(connections: number, counts: readonly LoadResult[][], { sustained }: Sizes): Figure[] {
  const gatewayRuns = ` The gateway is counted for ${sustained} s after a warm-up of the same length.`;
  const [byGateway = [], byAuthRequest = [], byOpen = [], direct = []] = counts;
  return (['p50', 'p99'] as const).map((part) => {
    const added = (results: readonly LoadResult[]) =>
      results.map((result, round) => result[part] - (direct[round]?.[part] ?? Number.NaN));
    const values = added(byGateway);
    const one = connections === 1 ? 'connection' : 'connections';
    return {
      name: `latency added by the gateway, ${part === 'p50' ? 'median' : '99th percentile'}, ${connections} ${one}`,
      values,
      unit: 'us',
      ...(part === 'p99' && connections === 1 ? { goal: { below: 1500 } } : {}),
      how: `The response time through the proxy minus that of the upstream without one. Each connection sends its next request after a response. All keys are cached.${connections === 1 ? gatewayRuns : ''}`,
      sides: [
        { name: "Soku's gateway", values, unit: 'us' },
        { name: 'nginx without keys', values: added(byOpen), unit: 'us' },
        { name: 'nginx with auth_request', values: added(byAuthRequest), unit: 'us' },
      ],
    };
  });
}

/** The yardstick: the same proxy without authentication. */
function openProxy(port: number, api: string): string {
  return `
    upstream api { server ${api.slice('http://'.length)}; keepalive 64; keepalive_requests 1000000000; }
    server {
      listen 127.0.0.1:${port};
      location / { proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection ""; }
    }`;
}

/** The documented configuration, with the addresses of this run and without its access log. */
function authRequestProxy(port: number, api: string, soku: string): string {
  const example = readFileSync(new URL('../../examples/nginx/soku.conf', import.meta.url), 'utf8');
  const changes: [string | RegExp, string][] = [
    ['server 127.0.0.1:3000;', `server ${soku.slice('http://'.length)}; keepalive_requests 1000000000;`],
    ['server 127.0.0.1:4000;', `server ${api.slice('http://'.length)}; keepalive_requests 1000000000;`],
    ['listen 8080;', `listen 127.0.0.1:${port};`],
    [/access_log .*;/, 'access_log off;'],
  ];
  return changes.reduce((text, [from, to]) => {
    const changed = text.replace(from, to);
    if (changed === text) throw new Error(`examples/nginx/soku.conf has no ${from}`);
    return changed;
  }, example);
}
