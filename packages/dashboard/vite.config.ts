import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const preloadedFonts = /(inter|jetbrains-mono)-latin-wght-normal-.*\.woff2$/;

/** Preloads the two files that nearly every page needs; the other alphabets load when a character asks for them. */
function preloadFonts(): Plugin {
  return {
    name: 'preload-fonts',
    transformIndexHtml: {
      order: 'post',
      handler: (_html, { bundle }) =>
        Object.keys(bundle ?? {})
          .filter((file) => preloadedFonts.test(file))
          .map((file) => ({
            tag: 'link',
            attrs: { rel: 'preload', href: `/${file}`, as: 'font', type: 'font/woff2', crossorigin: true },
            injectTo: 'head-prepend' as const,
          })),
    },
  };
}

/**
 * What every page needs, in one chunk that changes rarely. The schemas and zod-without-eval.ts must be in the same
 * one: inside a chunk the order of the imports in main.tsx holds, and across chunks it would not.
 */
const base =
  /node_modules\/(react|react-dom|scheduler|zod|use-sync-external-store|@tanstack)\/|zod-without-eval|\/schemas\.ts$/;

const server = process.env.SOKU_DEV_SERVER ?? 'http://127.0.0.1:3000';
const proxied = ['/v1', '/api', '/openapi.json', '/healthz', '/readyz'];

export default defineConfig({
  plugins: [react(), preloadFonts()],
  build: {
    outDir: 'dist',
    // The content security policy allows files of this origin and nothing inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2023',
    // "use client" is for server components; the warning about it would only hide real ones.
    rolldownOptions: {
      output: {
        codeSplitting: { groups: [{ name: 'base', test: base }] },
      },
      onLog: (level, log, handler) => {
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') handler(level, log);
      },
    },
  },
  // Changed nowhere else than in development: the server checks Origin against its own public URL.
  server: { proxy: Object.fromEntries(proxied.map((path) => [path, { target: server }])) },
});
