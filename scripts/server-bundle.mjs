// Prevents each start of the server or of an operator's command from loading the whole of fetch(), which takes a tenth of
// it: an import statement reads every export of node:http, and some of them load it when they are read.

const statement = /^import (?:(\w+)|\{ ([^}]+) \}) from "node:http";$/gm;

/** @type {import('rolldown').Plugin} */
const httpByName = {
  name: 'http-by-name',
  renderChunk: (code) =>
    code.replace(
      statement,
      (_, whole, names) =>
        `const ${whole ?? `{ ${names.replaceAll(' as ', ': ')} }`} = process.getBuiltinModule("node:http");`,
    ),
};

/** The files that Node starts: the server, the operator's commands, and the thread that hashes passwords. */
const input = ['main.ts', 'operator.ts', 'accounts/password-worker.ts'].map(
  (file) => `packages/server/src/${file}`,
);

export default { input, plugins: [httpByName] };
