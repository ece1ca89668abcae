import { AdmissionQueue, type PasswordClient } from './admission-queue.ts';
import { KnownClients } from './known-clients.ts';
import { hashesAtOnce } from './password-hasher.ts';

type Client = Omit<PasswordClient, 'known'>;

/** Stands before every request that hashes a password, and decides when it may. */
export class PasswordGate {
  readonly #queue = new AdmissionQueue({ slots: hashesAtOnce });
  readonly #known = new KnownClients();

  /**
   * @param email in lower case
   * @throws {RequestError} server_busy
   */
  async signIn(email: string, client: Client, work: () => Promise<Response>): Promise<Response> {
    const known = this.#known.has(email, client.network);
    const response = await this.#queue.run({ ...client, known }, work);
    if (response.status === 200) this.#known.add(email, client.network);
    return response;
  }

  /**
   * Work of somebody who has shown a session or the setup code.
   *
   * @throws {RequestError} server_busy
   */
  async authorized<T>(client: Client, work: () => Promise<T>): Promise<T> {
    return this.#queue.run({ ...client, known: true }, work);
  }
}
