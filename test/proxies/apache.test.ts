import { execFileSync } from 'node:child_process';
import { chmodSync, globSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Program } from '../support/debian.ts';
import { describeProxy } from './suite.ts';

const modules = ['mpm_event', 'authz_core', 'setenvif', 'headers', 'lua', 'proxy', 'proxy_http'];

/** The configuration around the example: on a system, /etc/apache2/apache2.conf and the enabled modules. */
function mainFile(folder: string, { root }: Program): string {
  const loaded = modules.map(
    (name) => `LoadModule ${name}_module ${root}/usr/lib/apache2/modules/mod_${name}.so`,
  );
  return `
    ServerName localhost
    ServerRoot ${folder}
    MaxKeepAliveRequests 0
    DefaultRuntimeDir ${folder}
    PidFile ${folder}/apache.pid
    ErrorLog ${folder}/error.log
    ${loaded.join('\n')}
    ${process.getuid?.() === 0 ? 'User #65534\nGroup #65534' : ''}
    LuaPackagePath ${folder}/lua/?.lua
    LuaPackageCPath ${folder}/lua/?.so
    Include ${folder}/soku.conf
  `;
}

/** When started by root, Apache serves as another user, who may not be able to read the unpacked packages. */
function copyLuaSocket(folder: string, { root }: Program): void {
  const [library = ''] = globSync(`${root}/usr/lib/*/lua/5.3`);
  mkdirSync(join(folder, 'lua'));
  // The libraries are symbolic links, which cpSync() would copy as links.
  for (const source of [`${root}/usr/share/lua/5.3`, library]) {
    execFileSync('cp', ['-rL', `${source}/.`, join(folder, 'lua')]);
  }
  chmodSync(folder, 0o755);
}

describeProxy({
  program: 'apache2',
  packages: ['apache2-bin', 'lua-socket'],
  page: 'docs/protect-with-apache.md',
  examples: ['examples/apache/soku.conf', 'examples/apache/soku.lua'],
  openBefore: '    # Calls Soku and ',
  scopesBefore: '    # Calls Soku and ',
  prepare: (folder, { program }) => {
    copyLuaSocket(folder, program);
    writeFileSync(join(folder, 'apache2.conf'), mainFile(folder, program));
    return ['-D', 'FOREGROUND', '-f', join(folder, 'apache2.conf')];
  },
});
