// Prevents an incomplete development environment: Vite that proxies to a server that has ended, a server left running
// on its port after the terminal closed, and sign-ins rejected because the page has a different origin than the server
// expects.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dashboard = join(root, 'packages/dashboard');
const pagesPort = '5173';
const pagesAddress = `http://localhost:${pagesPort}`;
/** A process that has not ended after this time is killed. */
const timeoutMilliseconds = 5000;

/** The address at which Vite reaches the server: its own, or loopback if it listens on all addresses. */
function serverAddress({ HOST = '127.0.0.1', PORT = '3000' }) {
  const host = ['', '0.0.0.0', '::'].includes(HOST) ? '127.0.0.1' : HOST;
  return `http://${host.includes(':') ? `[${host}]` : host}:${PORT || '3000'}`;
}

/** The path under which the dashboard is served; '' for the root. The server rejects a URL that cannot be parsed. */
function pathOf(url) {
  return URL.canParse(url) ? new URL(url).pathname.replace(/\/$/, '') : '';
}

const publicUrl = process.env.SOKU_PUBLIC_URL || pagesAddress;
const path = pathOf(publicUrl);
const env = { ...process.env, SOKU_PUBLIC_URL: publicUrl };
const viteEnv = { ...env, SOKU_DEV_SERVER: serverAddress(process.env), SOKU_DEV_PATH: path };

const children = new Map();
let exitCode;

/** Starts a Node program in its own process group, so that Ctrl+C reaches it only through this process. */
function start(name, cwd, args, env) {
  const options = { cwd, env, stdio: ['ignore', 'inherit', 'inherit'], detached: true };
  const child = spawn(process.execPath, args, options);
  children.set(name, child);
  child.on('exit', (code, signal) => {
    children.delete(name);
    if (exitCode === undefined) console.error(`The ${name} has ended (${signal ?? `exit code ${code}`}).`);
    // A killed watcher leaves its program running.
    signalGroup(child, 'SIGTERM');
    stopAll(code ?? 128 + constants.signals[signal]);
    if (children.size === 0) process.exit(exitCode);
  });
}

/** Sends SIGTERM to all processes and SIGKILL later. The first code passed becomes the exit code. */
function stopAll(code) {
  if (exitCode !== undefined) return;
  exitCode = code;
  for (const child of children.values()) child.kill('SIGTERM');
  setTimeout(() => {
    for (const child of children.values()) signalGroup(child, 'SIGKILL');
  }, timeoutMilliseconds).unref();
}

function signalGroup({ pid }, signal) {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stopAll(0));

if (!existsSync(join(dashboard, 'dist/index.html'))) {
  // The server does not start without built pages, although development does not use them.
  const { build, products } = await import('./build.mjs');
  build(root, process.execPath, products.dashboard);
}
console.error(
  `Open ${pagesAddress}${path} (pages reload and the server restarts when a file changes; press Ctrl+C to stop both)`,
);
start('server', root, ['--watch', '--watch-preserve-output', 'packages/server/src/main.ts'], env);
const vite = join(
  createRequire(join(dashboard, 'package.json')).resolve('vite/package.json'),
  '../bin/vite.js',
);
start(
  'Vite server',
  dashboard,
  [vite, '--port', pagesPort, '--strictPort', '--clearScreen', 'false'],
  viteEnv,
);
