/** Runs in a server before anything of it: all that it knows of the time of day is so many ms beside the real one. */
const preload = (offset: number) => `
  const Real = Date;
  globalThis.Date = class Date extends Real {
    constructor(...values) { if (values.length === 0) super(Real.now() + ${offset}); else super(...values); }
    static now() { return Real.now() + ${offset}; }
    static [Symbol.hasInstance](value) { return value instanceof Real; }
  };`;

/**
 * The variables of a server whose clock goes on from some time.
 *
 * @param time epoch ms
 */
export function clockAt(time: number): Record<string, string> {
  const offset = Math.round(time - Date.now());
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload(offset))}` };
}
