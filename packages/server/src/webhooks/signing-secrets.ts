import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** What starts a signing secret (Standard Webhooks). */
const prefix = 'whsec_';

/** In bytes, of AES-256-GCM. */
const [nonceLength, tagLength] = [12, 16];

/** Creates a signing secret: 256 random bits. Standard Webhooks allows 192 to 512. */
export function newSigningSecret(): string {
  return `${prefix}${randomBytes(32).toString('base64')}`;
}

/**
 * The signature of a request (Standard Webhooks): HMAC-SHA256 of ID, time and body.
 *
 * @param seconds the time in the header webhook-timestamp, epoch seconds
 */
export function signPayload(secret: string, id: string, seconds: number, body: string): string {
  const key = Buffer.from(secret.slice(prefix.length), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')}`;
}

/**
 * Encrypts signing secrets for the database, which then does not suffice to forge requests. They cannot be stored as
 * hashes, because they sign. If SOKU_SECRET changes, they cannot be decrypted anymore and must be rotated.
 */
export class SecretBox {
  readonly #key: Uint8Array;

  /** @param secret that of the deployment */
  constructor(secret: string) {
    this.#key = new Uint8Array(hkdfSync('sha256', secret, '', 'soku webhook signing secrets', 32));
  }

  /** @param webhookId the only webhook for which `open` returns the secret */
  seal(secret: string, webhookId: string): string {
    const nonce = randomBytes(nonceLength);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(webhookId));
    const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64');
  }

  /** @returns undefined if it was sealed with another secret of the deployment, for another webhook, or edited */
  open(sealed: string, webhookId: string): string | undefined {
    const bytes = Buffer.from(sealed, 'base64');
    const textStart = nonceLength + tagLength;
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, nonceLength))
        .setAAD(Buffer.from(webhookId))
        .setAuthTag(bytes.subarray(nonceLength, textStart));
      return decipher.update(bytes.subarray(textStart), undefined, 'utf8') + decipher.final('utf8');
    } catch {
      return undefined;
    }
  }
}
