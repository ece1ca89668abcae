/**
 * A browser that has signed in to an account keeps a cookie that proves it (OWASP, "Slow Down Online Guessing Attacks
 * with Device Cookies"). Guessers do not have it, so their wrong passwords do not delay the account's owner. It grants
 * no access: a stolen cookie only gives the thief a separate allowance of attempts.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { constantTimeEqual } from '../constant-time-equal.ts';
import { cookiePath, sessionCookieName } from './session-cookie.ts';

/** The longest that browsers keep a cookie, in seconds. */
const maxAge = 400 * 24 * 60 * 60;

const nameSuffix = '_device';

export class DeviceCookies {
  readonly #name: string;
  readonly #attributes: string;
  readonly #secret: string;

  /** @param secret SOKU_SECRET */
  constructor(publicUrl: string, secret: string) {
    this.#name = `${sessionCookieName(publicUrl)}${nameSuffix}`;
    const secure = publicUrl.startsWith('https:') ? '; Secure' : '';
    this.#attributes = `Path=${cookiePath(publicUrl)}; Max-Age=${maxAge}; HttpOnly; SameSite=Lax${secure}`;
    this.#secret = secret;
  }

  /**
   * @param email in lower case
   * @returns the Set-Cookie field for a browser that has signed in
   */
  issue(email: string): string {
    const id = randomBytes(16).toString('base64url');
    return `${this.#name}=${id}.${this.#sign(id, email).toString('base64url')}; ${this.#attributes}`;
  }

  /** The id of a browser that has signed in to the account; undefined without a cookie for this account. */
  read(cookies: string | undefined, email: string): string | undefined {
    const start = `${this.#name}=`;
    for (const cookie of cookies?.split(/; ?/) ?? []) {
      if (!cookie.startsWith(start)) continue;
      const [id = '', signature = ''] = cookie.slice(start.length).split('.');
      if (constantTimeEqual(Buffer.from(signature, 'base64url'), this.#sign(id, email))) return id;
    }
    return undefined;
  }

  #sign(id: string, email: string): Buffer {
    return createHmac('sha256', this.#secret).update(`soku device cookie\n${id}\n${email}`).digest();
  }
}
