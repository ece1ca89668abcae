/**
 * Derives the lengths of a blade's teeth, from 0 to 3, from the name of a host: always the same for one host, and
 * different for most others. Neighboring teeth differ, so that each one is visible.
 */
export function hostTeeth(host: string, count: number): number[] {
  let state = fnv1a(host);
  const teeth: number[] = [];
  let before = 0;
  for (let index = 0; index < count; index += 1) {
    state = mix(state + 0x9e3779b9);
    before = index === 0 ? state % 4 : (before + 1 + (state % 3)) % 4;
    teeth.push(before);
  }
  return teeth;
}

/** FNV-1a, 32 bits (IETF draft-eastlake-fnv). */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** The finalizer of MurmurHash3, which spreads a change of one bit over all bits. */
function mix(value: number): number {
  let bits = value >>> 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
