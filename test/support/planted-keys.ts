import { hash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { generateKey } from '@soku/key';
import type { GitRepository } from './git-repository.ts';

/** Where keys are planted, by the SHA-256 of each key. */
export interface PlantedKeys {
  /** 50 keys that a scan must find. */
  planted: Map<string, string>;
  /** Keys that a scan is known not to find. */
  hidden: Map<string, string>;
}

export const plantedPrefix = 'acme_key_';

const newKey = () => generateKey({ prefix: plantedPrefix });
const hex = (key: string) => hash('sha256', key);
const base64 = (text: string) => Buffer.from(text).toString('base64');
const mime = (text: string) => base64(text).replaceAll(/.{76}/g, '$&\r\n');

export function utf16(text: string, bigEndian = false): Buffer {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le');
  return bigEndian ? bytes.swap16() : bytes;
}

/** What surrounds keys in real projects, and looks like them. */
export function filler(number: number): string {
  const almost = newKey().replace(/.$/, (last) => (last === 'a' ? 'b' : 'a'));
  const lines = [hex(newKey()), almost, plantedPrefix, base64(almost), `const n = ${number};`];
  return `${lines.join('\n')}\n`.repeat(8);
}

/** Writes files around the keys, and commits some of both. @param files without those of the keys */
export function plantKeys(repository: GitRepository, files: number): PlantedKeys {
  const keys: PlantedKeys = { planted: new Map(), hidden: new Map() };
  plantHistory(repository, adder(keys.planted));
  for (let i = 0; i < files; i++) repository.write(`src/${i % 100}/${i}.ts`, filler(i));
  plantFiles(repository, adder(keys.planted));
  const hide = adder(keys.hidden);
  repository.write('log.gz', gzipSync(hide('compressed with gzip')));
  repository.write('twice.txt', base64(base64(hide('base64, twice'))));
  repository.write('split.ts', hide('split into two texts').replace(plantedPrefix, `${plantedPrefix}' + '`));
  repository.write('hex.txt', Buffer.from(hide('hexadecimal')).toString('hex'));
  return keys;
}

/** @returns a function that creates a key and records where it is */
function adder(keys: Map<string, string>): (where: string) => string {
  return (where) => {
    const key = newKey();
    keys.set(hex(key), where);
    return key;
  };
}

function plantHistory(repository: GitRepository, plant: (where: string) => string): void {
  for (let i = 0; i < 8; i++)
    repository.write(`old/${i}.ts`, `const key = '${plant('history: deleted file')}';\n`);
  repository.commit('Add the client');
  repository.git('rm', '-r', '--quiet', 'old');
  repository.commit(`Remove ${plant('history: message of a commit')}`);
  repository.git('switch', '--quiet', '-c', 'other');
  repository.write('other.txt', plant('history: another branch'));
  repository.commit('Other');
  repository.git('switch', '--quiet', 'main');
  repository.git('tag', '-a', 'v1', '-m', `Uses ${plant('history: message of a tag')}`);
}

function plantFiles(repository: GitRepository, plant: (where: string) => string): void {
  for (let i = 0; i < 10; i++)
    repository.write(`src/key-${i}.ts`, `${filler(i)}call("${plant('source code')}")`);
  for (let i = 0; i < 9; i++) repository.write(`env/${i}/.env`, `A=b\r\nSOKU_KEY=${plant('.env')}\r\n`);
  const code = 'function(){return x}'.repeat(20_000);
  for (let i = 0; i < 5; i++)
    repository.write(`dist/${i}.min.js`, `${code},k="${plant('minified code, one line of 800 kB')}",${code}`);
  for (let i = 0; i < 5; i++)
    repository.write(`k8s/${i}.yaml`, `token: ${base64('x'.repeat(i) + plant('base64'))}\n`);
  const letter = `Dear Ada, the key is\r\n${plant('base64 of an email, with line breaks')}\r\nBye`;
  repository.write('mail.eml', `From: a\r\n\r\n${mime(letter)}\r\n`);
  const sent = `The new key of the client is\r\n${plant('base64 of an email, in JSON')}\r\n`;
  repository.write('sent.json', JSON.stringify({ body: mime(sent) }));
  const state = Buffer.from(`>>>${plant('base64url')}`).toString('base64url');
  repository.write('state.json', JSON.stringify({ a: state }));
  for (let i = 0; i < 4; i++) {
    const encoded = plant('URL, percent-encoded').replaceAll('_', ['%5f', '%5F', '%255F', '_'][i] ?? '');
    repository.write(`urls/${i}.log`, `GET /v1/me?api_key=${encoded}&x=1\n`);
  }
  repository.write('le.reg', utf16(`key=${plant('UTF-16')}`));
  repository.write('be.reg', utf16(`key=${plant('UTF-16')}`, true));
  repository.write('image.png', Buffer.concat([Buffer.from([0, 255, 0, 128]), Buffer.from(plant('binary'))]));
}
