import type { Measure } from './figure.ts';
import { compareWithBetterAuth } from './figures/better-auth.ts';
import { measureCachedMemory } from './figures/cached-memory.ts';
import { measureDashboardLoad } from './figures/dashboard-load.ts';
import { measureDashboardSize } from './figures/dashboard-size.ts';
import { measureFlood } from './figures/flood.ts';
import { measureGateway } from './figures/gateway.ts';
import { measureIdleMemory } from './figures/idle-memory.ts';
import { measureKeyCount } from './figures/key-count.ts';
import { measureLargeWorkspace } from './figures/large-workspace.ts';
import { measureRestrictions } from './figures/restrictions.ts';
import { measureRevoke } from './figures/revoke.ts';
import { measureScan } from './figures/scan.ts';
import { measureRevokeDuringSignIns } from './figures/sign-ins.ts';
import { measureStartTime } from './figures/start-time.ts';
import { measureVerifyHttp } from './figures/verify-http.ts';
import { measureVerifyInProcess } from './figures/verify-in-process.ts';
import { measureVerifyPostgres } from './figures/verify-postgres.ts';

/** The groups that can be measured separately, in the order of the output. */
export const groups: Record<string, { measure: Measure; about: string }> = {
  'verify-http': {
    measure: measureVerifyHttp,
    about: 'GET and POST /v1/verify compared with bare node:http',
  },
  'verify-in-process': {
    measure: measureVerifyInProcess,
    about: 'the verifier compared with SHA-256 and a Map',
  },
  restrictions: {
    measure: measureRestrictions,
    about: 'keys with scopes and allowed addresses, compared with others',
  },
  'verify-postgres': {
    measure: measureVerifyPostgres,
    about: 'a node on PostgreSQL compared with SQLite, and two nodes',
  },
  revoke: {
    measure: measureRevoke,
    about: 'time until every node rejects a revoked key, with 1, 3 and 5 nodes',
  },
  'sign-ins': {
    measure: measureRevokeDuringSignIns,
    about: 'a revoke during sign-ins, whose passwords are hashed',
  },
  'key-count': { measure: measureKeyCount, about: 'cache hits and misses with few, many and very many keys' },
  'large-workspace': {
    measure: measureLargeWorkspace,
    about: 'lists, backup, restore and size of one workspace with very many keys',
  },
  'better-auth': { measure: compareWithBetterAuth, about: "compared with better-auth's API key plugin" },
  flood: { measure: measureFlood, about: 'valid traffic during floods of unknown keys' },
  gateway: {
    measure: measureGateway,
    about: 'the gateway, and nginx with auth_request, compared with nginx without keys',
  },
  start: { measure: measureStartTime, about: 'from the start to the first response' },
  'idle-memory': { measure: measureIdleMemory, about: 'memory of an idle server' },
  'cached-memory': { measure: measureCachedMemory, about: 'memory of a server with many cached keys' },
  scan: { measure: measureScan, about: 'the scanner in a repository with planted keys' },
  'dashboard-size': { measure: measureDashboardSize, about: 'JavaScript of the API keys page' },
  'dashboard-load': {
    measure: measureDashboardLoad,
    about: 'time until the API keys page shows the keys, at slow 4G',
  },
};
