export { checksum } from './checksum.ts';
export { explainKey, type KeyProblem } from './explain.ts';
export { containsKey, findKeys, locateKeys } from './find.ts';
export {
  bodyLength,
  checksumLength,
  defaultPrefix,
  formatPreview,
  isPrefix,
  isStripePrefix,
  type KeyParts,
  KeyUsageError,
} from './format.ts';
export { generateKey, type RandomBytes } from './generate.ts';
export { hashKey } from './hash.ts';
export { mayContainKey } from './may-contain-key.ts';
export { parseKey } from './parse.ts';
export { decodePercent } from './percent.ts';
export { redactKeys } from './redact.ts';
