import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeProxy } from './suite.ts';

describeProxy({
  program: 'caddy',
  page: 'docs/protect-with-caddy.md',
  examples: ['examples/caddy/Caddyfile'],
  openBefore: '\t\t# A client must not',
  prepare: (folder) => {
    // The admin endpoint would listen on a fixed port.
    const file = join(folder, 'test.Caddyfile');
    writeFileSync(file, `{\n\tadmin off\n}\nimport ${folder}/Caddyfile\n`);
    return ['run', '--config', file, '--adapter', 'caddyfile'];
  },
});
