import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { root } from '../support/server.ts';

const commandSchema = z.array(z.string()).nonempty();

/** What the image of the Dockerfile runs, as Docker reads it. */
export interface ImageConfig {
  /** Default values of the build arguments. */
  args: Record<string, string>;
  labels: Record<string, string>;
  env: Record<string, string>;
  user: string;
  volume: string;
  workDir: string;
  command: string[];
  healthCheck: string[];
}

/** Reads the last stage of the Dockerfile. Supports only what the Dockerfile uses. */
export function readDockerfile(): ImageConfig {
  const text = readFileSync(join(root, 'Dockerfile'), 'utf8');
  const instructions = text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .flatMap((line) => {
      const [, name = '', rest = ''] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
      return name === '' ? [] : [{ name, rest }];
    });
  const stage = instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'));
  const all = (wanted: string, from = stage) =>
    from.filter(({ name }) => name === wanted).map(({ rest }) => rest);
  const pairs = (texts: string[]) =>
    Object.fromEntries(
      texts.flatMap((line) =>
        Array.from(line.matchAll(/([\w.]+)=(?:"([^"]*)"|(\S*))/g), ([, key = '', quoted, bare = '']) => [
          key,
          quoted ?? bare,
        ]),
      ),
    );
  const one = (wanted: string) => all(wanted).join(' ');
  return {
    args: pairs(all('ARG', instructions)),
    labels: pairs(all('LABEL')),
    env: pairs(all('ENV')),
    user: one('USER'),
    volume: one('VOLUME'),
    workDir: one('WORKDIR'),
    command: commandSchema.parse(JSON.parse(one('CMD'))),
    healthCheck: commandSchema.parse(JSON.parse(one('HEALTHCHECK').replace(/^.*?\bCMD /, ''))),
  };
}
