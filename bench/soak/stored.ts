import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { SoakResult } from './run.ts';

const soakSchema = z.object({
  date: z.iso.date(),
  machine: z.string(),
  seconds: z.number(),
  requests: z.number(),
  kinds: z.record(z.string(), z.record(z.string(), z.number())),
  wrong: z.number(),
  unexpected: z.array(z.string()),
  memory: z.object({ second: z.number(), last: z.number(), most: z.number() }),
  longest: z.number(),
});

/** The content of bench/soak.json: the last stored soak. */
export type StoredSoak = z.infer<typeof soakSchema>;

const file = new URL('../soak.json', import.meta.url);

/** Undefined if none is stored. */
export function readSoak(): StoredSoak | undefined {
  return existsSync(file) ? soakSchema.parse(JSON.parse(readFileSync(file, 'utf8'))) : undefined;
}

export function writeSoak(machine: string, outcome: SoakResult): void {
  const soak: StoredSoak = { date: new Date().toISOString().slice(0, 10), machine, ...outcome };
  writeFileSync(file, `${JSON.stringify(soak, null, 2)}\n`);
}
