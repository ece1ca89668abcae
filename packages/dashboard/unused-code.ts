/**
 * Keeps code out of the build that the dashboard never runs, but that the bundler cannot remove because other code
 * refers to it: 7 kB (gzip) of zod's JSON Schema writer and code generator, 2 kB of its formats, 1 kB of mutations, and
 * 1 kB of our own schemas and their descriptions. If the dashboard starts to use any of it, every page fails at once.
 */
import type { Plugin } from 'vite';

export function withoutUnusedCode(): Plugin[] {
  return [unusedZod, unusedFormats, unusedMutations, descriptions, unusedSchemas].map((plugin) => ({
    ...plugin,
    apply: 'build',
  }));
}

const unusedZodModule = /zod\/v4\/core\/(to-json-schema|json-schema-processors|memoizer|doc)\.js$/;

/**
 * The JSON Schema writer, which only the server calls; the memoizer for circular values, which JSON cannot contain
 * (zod/mini omits it, too); and the code generator, which zod-without-eval.ts turns off.
 */
const unusedZod: Plugin = {
  name: 'without-unused-zod',
  transform: (code, id) => {
    if (!unusedZodModule.test(id)) return;
    const names = [...code.matchAll(/^export (?:const|function|class) ([\w$]+)/gm)].map(([, name]) => name);
    return { code: names.map((name) => `export function ${name}() {}`).join('\n'), map: null };
  },
};

const zodSchemas = /zod\/v4\/classic\/schemas\.js$/;
const formatMethod =
  /^ {4}\w+\(params\) \{\n {8}return this\.check\(core\._\w+\(Zod\w+, params\)\);\n {4}\},\n/gm;

/**
 * The deprecated methods of strings that check a format, such as `z.string().url()`. They keep all formats in the
 * bundle; the functions that replace them, such as `z.url()`, keep only their own.
 */
const unusedFormats: Plugin = {
  name: 'without-unused-formats',
  transform: (code, id) => {
    if (!zodSchemas.test(id)) return;
    const methods = [...code.matchAll(formatMethod)];
    if (methods.length < 20) throw new Error('Update formatMethod in unused-code.ts to this version of zod.');
    return { code: code.replace(formatMethod, ''), map: null };
  },
};

const mutationCache = /query-core\/build\/modern\/mutationCache\.js$/;

/** Mutations, which would cache the response to the creation of a key, and the key in it. */
const unusedMutations: Plugin = {
  name: 'without-mutations',
  transform: (_code, id) => {
    if (!mutationCache.test(id)) return;
    const methods =
      'clear() {} findAll() { return []; } resumePausedMutations() { return Promise.resolve(); }';
    return { code: `export class MutationCache { ${methods} }`, map: null };
  },
};

const contract = /\/contract\/src\/[\w-]+\.ts$/;
const description =
  /\.describe\(\s*(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`),?\s*\)|\.meta\(\{ id: ["']\w+["'] \}\)/g;

/** The descriptions and names of schemas, from which the server generates the OpenAPI document. */
const descriptions: Plugin = {
  name: 'without-descriptions',
  transform: (code, id) =>
    contract.test(id) ? { code: code.replace(description, ''), map: null } : undefined,
};

/**
 * Schemas of requests and responses that only the server or another page uses. The bundler does not know that building
 * a schema has no side effects, so it would keep all schemas of a module that a page imports.
 */
const unusedSchemas: Plugin = {
  name: 'without-unused-schemas',
  enforce: 'post',
  transform(code, id) {
    if (!contract.test(id)) return;
    const edits: Array<[number, string]> = [];
    for (const statement of this.parse(code).body) {
      const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
      if (declaration?.type !== 'VariableDeclaration') continue;
      for (const { init } of declaration.declarations) {
        if (init?.type === 'CallExpression')
          edits.push([init.start, '/* @__PURE__ */ (() => '], [init.end, ')()']);
      }
    }
    let rest = code;
    for (const [at, text] of edits.reverse()) rest = rest.slice(0, at) + text + rest.slice(at);
    return { code: rest, map: null };
  },
};
