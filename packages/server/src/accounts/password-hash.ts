import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';

/** Parameters of scrypt (RFC 7914). Memory is 128 * N * r bytes, and work is proportional to N * r * p. */
interface Cost {
  /** Base-2 logarithm of N. */
  ln: number;
  r: number;
  p: number;
}

/** One of the equivalent settings in OWASP's Password Storage Cheat Sheet: 32 MB, and about 0.45 s on one core. */
const currentCost: Cost = { ln: 15, r: 8, p: 3 };

/** The auth library's parameters. It stores `salt:key` in hex and uses the hex text itself as the salt. */
const formerCost: Cost = { ln: 14, r: 16, p: 1 };

const keyLength = 32;

/** The PHC string format: parameters, salt and key in base64 without padding. */
const format = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

interface StoredHash {
  cost: Cost;
  salt: string | Buffer;
  key: Buffer;
}

/** @returns the text to store */
export function hashPassword(password: string): string {
  const salt = randomBytes(16);
  const { ln, r, p } = currentCost;
  const key = derive(password, salt, currentCost, keyLength);
  return `$scrypt$ln=${ln},r=${r},p=${p}$${base64(salt)}$${base64(key)}`;
}

/** Whether a password matches a hash and, for an older hash, the new text to store. */
export interface PasswordCheck {
  matches: boolean;
  upgraded?: string;
}

/**
 * Verifies a password against a stored hash of any parameters.
 *
 * A wrong password takes as long as with a current hash. Otherwise the time would distinguish an account with an older
 * hash from an email address without an account.
 */
export function verifyPassword(password: string, stored: string): PasswordCheck {
  const { cost, salt, key } = parse(stored);
  const matches = timingSafeEqual(derive(password, salt, cost, key.length), key);
  const missing = work(currentCost) - work(cost);
  if (missing === 0) return { matches };
  if (matches) return { matches, upgraded: hashPassword(password) };
  const p = Math.round(missing / work({ ...currentCost, p: 1 }));
  if (p > 0) derive(password, salt, { ...currentCost, p }, key.length);
  return { matches };
}

function parse(stored: string): StoredHash {
  const current = format.exec(stored);
  if (current !== null) {
    const [, ln, r, p, salt = '', key = ''] = current;
    return {
      cost: { ln: Number(ln), r: Number(r), p: Number(p) },
      salt: Buffer.from(salt, 'base64'),
      key: Buffer.from(key, 'base64'),
    };
  }
  const [salt = '', key = '', ...rest] = stored.split(':');
  if (salt === '' || !/^([0-9a-f]{2})+$/.test(key) || rest.length > 0) {
    throw new Error('a stored password hash is malformed');
  }
  return { cost: formerCost, salt, key: Buffer.from(key, 'hex') };
}

/** Normalizes to NFKC, because keyboards compose characters in different ways (NIST SP 800-63B section 5.1.1.2). */
function derive(password: string, salt: string | Buffer, { ln, r, p }: Cost, length: number): Buffer {
  const N = 2 ** ln;
  return scryptSync(password.normalize('NFKC'), salt, length, { N, r, p, maxmem: 2 * 128 * N * r });
}

function work({ ln, r, p }: Cost): number {
  return 2 ** ln * r * p;
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
