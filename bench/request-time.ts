import type { Person } from '../test/support/person.ts';

/** Sends a GET request. @returns ms until the whole response was read */
export async function timeRequest(person: Person, path: string): Promise<number> {
  const begun = performance.now();
  const { status, text } = await person.call('GET', path);
  const taken = performance.now() - begun;
  if (status !== 200) throw new Error(`${path} returned ${status}: ${text}`);
  return taken;
}
