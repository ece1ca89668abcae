/** Code that runs before the server and shifts its wall clock by an offset in ms. */
const preload = (offset: number) => `
  const Real = Date;
  globalThis.Date = class Date extends Real {
    constructor(...values) { if (values.length === 0) super(Real.now() + ${offset}); else super(...values); }
    static now() { return Real.now() + ${offset}; }
    static [Symbol.hasInstance](value) { return value instanceof Real; }
  };`;

/**
 * Environment variables of a server whose clock starts at a given time.
 *
 * @param time epoch ms
 */
export function clockEnvironment(time: number): Record<string, string> {
  const offset = Math.round(time - Date.now());
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload(offset))}` };
}
