import { readFileSync } from 'node:fs';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';
import { baseModules, formModules, partModules } from './chunks.ts';
import { withoutUnusedCode } from './unused-code.ts';

const fonts = /\.woff2$/;

/** Preloads both fonts, because every page needs them. */
function preloadFonts(): Plugin {
  return {
    name: 'preload-fonts',
    transformIndexHtml: {
      order: 'post',
      handler: (_html, { bundle }) =>
        Object.keys(bundle ?? {})
          .filter((file) => fonts.test(file))
          .map((file) => ({
            tag: 'link',
            attrs: { rel: 'preload', href: `./${file}`, as: 'font', type: 'font/woff2', crossorigin: true },
            injectTo: 'head-prepend' as const,
          })),
    },
  };
}

/**
 * The bundler puts the styles of shared chunks first, so the statement in main.tsx that orders the cascade layers
 * comes too late. This plugin moves it back to the top.
 */
function layersFirst(): Plugin {
  const order = readFileSync(new URL('src/styles/layers.css', import.meta.url), 'utf8');
  const statement = order.replace(/\/\*.*?\*\//gs, '').trim();
  return {
    name: 'layers-first',
    enforce: 'post',
    generateBundle: (_options, bundle) => {
      for (const file of Object.values(bundle)) {
        if (file.type === 'asset' && file.fileName.endsWith('.css'))
          file.source = `${statement}${file.source}`;
      }
    },
  };
}

/** Of `npm run dev`: the address of the server, and the path of its public URL. */
const { SOKU_DEV_SERVER: server = 'http://127.0.0.1:3000', SOKU_DEV_PATH: path } = process.env;
const proxied = ['/v1', '/api', '/openapi.json', '/healthz', '/readyz'];

export default defineConfig({
  // Files find each other by relative paths, because the path of a deployment is not known yet. In index.html the
  // server inserts it (http/pages.ts).
  base: path === undefined ? './' : `${path}/`,
  plugins: [react(), preloadFonts(), layersFirst(), ...withoutUnusedCode()],
  // React has this hook since version 18. TanStack's store imports the package that provides it to older versions.
  resolve: {
    alias: { 'use-sync-external-store/shim/with-selector': 'use-sync-external-store/with-selector' },
  },
  build: {
    outDir: 'dist',
    // The content security policy allows files of this origin and nothing inline.
    assetsInlineLimit: 0,
    // A single small style sheet, so that no page waits for a second one.
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    target: 'es2023',
    // "use client" is for server components. The warning about it would only hide real warnings.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'base', test: baseModules },
            { name: 'parts', test: partModules },
            { name: 'forms', test: formModules },
          ],
        },
      },
      onLog: (level, log, handler) => {
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') handler(level, log);
      },
    },
  },
  // In development, Vite proxies the API calls, so SOKU_PUBLIC_URL of the API must be the address of the Vite server.
  server: {
    proxy: Object.fromEntries(proxied.map((route) => [`${path ?? ''}${route}`, { target: server }])),
  },
});
