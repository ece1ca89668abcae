import { globSync } from 'node:fs';
import { join } from 'node:path';
import { describeProxy } from './suite.ts';

describeProxy({
  program: 'varnishd',
  packages: ['varnish', 'varnish-modules'],
  page: 'docs/protect-with-varnish.md',
  examples: ['examples/varnish/soku.vcl'],
  openBefore: '    if (req.restarts == 0) {\n        # A client',
  scopesBefore: '        # Keeps the body',
  sendsBody: true,
  prepare: (folder, { program, port }) => {
    const [modules = ''] = globSync(`${program.root}/usr/lib/*/varnish/vmods`);
    const listen = ['-a', `127.0.0.1:${port}`, '-T', 'none', '-s', 'malloc,32M', '-p', 'vsl_space=1M'];
    // Compiles the VCL in half a second instead of several, because the test needs no optimized code.
    const compile = ['-p', 'cc_command=exec gcc -O0 -w -fpic -shared -o %o %s'];
    // One process, as this user; an installed Varnish starts as root and drops privileges.
    const own = ['-F', '-j', 'none', '-n', join(folder, 'work'), '-p', `vmod_path=${modules}`];
    return [...own, ...compile, ...listen, '-f', join(folder, 'soku.vcl')];
  },
});
