// Prevents half a development environment: a Vite that proxies to a server which has died, a server that a lost
// terminal leaves behind on its port, and sign-ins refused because the page comes from another address than the
// server believes its own to be.

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
/** After that a process that does not end is killed. */
const patienceMilliseconds = 5000;

/** Where Vite reaches the server: where that listens, or loopback when it listens everywhere. */
function serverAddress({ HOST = '127.0.0.1', PORT = '3000' }) {
  const host = ['', '0.0.0.0', '::'].includes(HOST) ? '127.0.0.1' : HOST;
  return `http://${host.includes(':') ? `[${host}]` : host}:${PORT || '3000'}`;
}

const env = {
  ...process.env,
  SOKU_PUBLIC_URL: process.env.SOKU_PUBLIC_URL || pagesAddress,
  SOKU_DEV_SERVER: serverAddress(process.env),
};

const children = new Map();
let exitCode;

/** Starts a Node program in a process group of its own, so that Ctrl+C reaches it through us, and once. */
function start(name, cwd, args) {
  const options = { cwd, env, stdio: ['ignore', 'inherit', 'inherit'], detached: true };
  const child = spawn(process.execPath, args, options);
  children.set(name, child);
  child.on('exit', (code, signal) => {
    children.delete(name);
    if (exitCode === undefined) console.error(`The ${name} has ended (${signal ?? `exit code ${code}`}).`);
    // A watcher that was killed leaves the program that it watched.
    signalGroup(child, 'SIGTERM');
    stopAll(code ?? 128 + constants.signals[signal]);
    if (children.size === 0) process.exit(exitCode);
  });
}

/** Asks all to end and, later, makes them; the first code given becomes ours. */
function stopAll(code) {
  if (exitCode !== undefined) return;
  exitCode = code;
  for (const child of children.values()) child.kill('SIGTERM');
  setTimeout(() => {
    for (const child of children.values()) signalGroup(child, 'SIGKILL');
  }, patienceMilliseconds).unref();
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
  // The server does not start without built pages, though in development nobody looks at them.
  const { build, products } = await import('./build.mjs');
  build(root, process.execPath, products.dashboard);
}
console.error(
  `Open ${pagesAddress} (the pages reload and the server restarts when a file changes; Ctrl+C ends both)`,
);
start('server', root, ['--watch', '--watch-preserve-output', 'packages/server/src/main.ts']);
const vite = join(
  createRequire(join(dashboard, 'package.json')).resolve('vite/package.json'),
  '../bin/vite.js',
);
start('Vite server', dashboard, [vite, '--port', pagesPort, '--strictPort', '--clearScreen', 'false']);
