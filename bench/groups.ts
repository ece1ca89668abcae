import type { Measure } from './figure.ts';
import { compareWithBetterAuth } from './figures/better-auth.ts';
import { cachedMemory } from './figures/cached-memory.ts';
import { dashboardLoad } from './figures/dashboard-load.ts';
import { dashboardSize } from './figures/dashboard-size.ts';
import { flood } from './figures/flood.ts';
import { gateway } from './figures/gateway.ts';
import { idleMemory } from './figures/idle-memory.ts';
import { keyCount } from './figures/key-count.ts';
import { largeWorkspace } from './figures/large-workspace.ts';
import { restrictions } from './figures/restrictions.ts';
import { revoke } from './figures/revoke.ts';
import { scanRepository } from './figures/scan.ts';
import { revokeDuringSignIns } from './figures/sign-ins.ts';
import { startTime } from './figures/start-time.ts';
import { verifyHttp } from './figures/verify-http.ts';
import { verifyInProcess } from './figures/verify-in-process.ts';
import { verifyPostgres } from './figures/verify-postgres.ts';

/** The groups that can be measured separately, in the order of the output. */
export const groups: Record<string, { measure: Measure; about: string }> = {
  'verify-http': { measure: verifyHttp, about: 'GET and POST /v1/verify compared with bare node:http' },
  'verify-in-process': { measure: verifyInProcess, about: 'the verifier compared with SHA-256 and a Map' },
  restrictions: {
    measure: restrictions,
    about: 'keys with scopes and allowed addresses, compared with others',
  },
  'verify-postgres': {
    measure: verifyPostgres,
    about: 'a node on PostgreSQL compared with SQLite, and two nodes',
  },
  revoke: { measure: revoke, about: 'time until every node rejects a revoked key, with 1, 3 and 5 nodes' },
  'sign-ins': { measure: revokeDuringSignIns, about: 'a revoke during sign-ins, whose passwords are hashed' },
  'key-count': { measure: keyCount, about: 'cache hits and misses with few, many and very many keys' },
  'large-workspace': {
    measure: largeWorkspace,
    about: 'lists, backup, restore and size of one workspace with very many keys',
  },
  'better-auth': { measure: compareWithBetterAuth, about: "compared with better-auth's API key plugin" },
  flood: { measure: flood, about: 'valid traffic during floods of unknown keys' },
  gateway: {
    measure: gateway,
    about: 'the gateway, and nginx with auth_request, compared with nginx without keys',
  },
  start: { measure: startTime, about: 'from the start to the first response' },
  'idle-memory': { measure: idleMemory, about: 'memory of an idle server' },
  'cached-memory': { measure: cachedMemory, about: 'memory of a server with many cached keys' },
  scan: { measure: scanRepository, about: 'the scanner in a repository with planted keys' },
  'dashboard-size': { measure: dashboardSize, about: 'JavaScript of the API keys page' },
  'dashboard-load': {
    measure: dashboardLoad,
    about: 'time until the API keys page shows the keys, at slow 4G',
  },
};
