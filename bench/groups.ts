import type { Measure } from './figure.ts';
import { againstBetterAuth } from './figures/better-auth.ts';
import { cachedMemory } from './figures/cached-memory.ts';
import { dashboardSize } from './figures/dashboard-size.ts';
import { flood } from './figures/flood.ts';
import { gateway } from './figures/gateway.ts';
import { idleMemory } from './figures/idle-memory.ts';
import { keyCount } from './figures/key-count.ts';
import { revoke } from './figures/revoke.ts';
import { besideSignIns } from './figures/sign-ins.ts';
import { startTime } from './figures/start-time.ts';
import { verifyHttp } from './figures/verify-http.ts';
import { verifyInProcess } from './figures/verify-in-process.ts';
import { verifyPostgres } from './figures/verify-postgres.ts';

/** What can be measured by itself, in the order of the board. */
export const groups: Record<string, { measure: Measure; about: string }> = {
  'verify-http': { measure: verifyHttp, about: 'GET and POST /v1/verify against bare node:http' },
  'verify-in-process': { measure: verifyInProcess, about: 'the verifier against SHA-256 and a Map' },
  'verify-postgres': { measure: verifyPostgres, about: 'a node on PostgreSQL against SQLite, and two nodes' },
  revoke: { measure: revoke, about: 'from the call to dead on every node, with 1, 3 and 5 nodes' },
  'sign-ins': { measure: besideSignIns, about: 'a revoke beside sign-ins, whose passwords are hashed' },
  'key-count': { measure: keyCount, about: 'hits and misses with few, many and very many keys' },
  'better-auth': { measure: againstBetterAuth, about: "against better-auth's plugin for API keys" },
  flood: { measure: flood, about: 'good traffic beside floods of unknown keys' },
  gateway: { measure: gateway, about: 'the gateway, and nginx that asks, against nginx without keys' },
  start: { measure: startTime, about: 'from the start to the first answer' },
  'idle-memory': { measure: idleMemory, about: 'memory of a server without work' },
  'cached-memory': { measure: cachedMemory, about: 'memory of a server with many keys in it' },
  'dashboard-size': { measure: dashboardSize, about: 'JavaScript of the page of API keys' },
};
