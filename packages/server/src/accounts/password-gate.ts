import { RequestError } from '../http/errors.ts';
import { AddressLimits } from '../limits/address-limits.ts';
import { AdmissionQueue } from './admission-queue.ts';
import { KnownClients } from './known-clients.ts';
import { maxConcurrentHashes } from './password-hasher.ts';
import { WrongPasswords } from './wrong-passwords.ts';

/** Attempts per minute from one address. */
const attempts = 10;

/** The client that sends a password. */
export interface Client {
  /** Canonical address, or the placeholder for an unknown client. */
  address: string;
  /** The network of the address, as the rate limits count it. */
  network: string;
  /** Aborts when the client disconnects. */
  signal: AbortSignal;
}

/** Decides when to admit a request that hashes a password. Every such request goes through this gate. */
export class PasswordGate {
  readonly #queue = new AdmissionQueue({ slots: maxConcurrentHashes });
  readonly #known = new KnownClients();
  readonly #signIns = new AddressLimits(attempts);
  readonly #changes = new AddressLimits(attempts);
  readonly #wrong = new WrongPasswords();

  /**
   * Runs a sign-in. Clients that have signed in to the account before go first, and their wrong passwords are counted
   * separately, so that guesses by strangers do not delay them.
   *
   * @param email in lower case
   * @param device the id of a browser that has signed in to the account
   * @throws {RequestError} rate_limited, server_busy
   */
  async signIn(
    { email, device }: { email: string; device: string | undefined },
    client: Client,
    work: () => Promise<Response>,
  ): Promise<Response> {
    const known = device !== undefined || this.#known.has(email, client.network);
    const key = known ? `${email} ${device ?? client.network}` : email;
    this.#take(this.#signIns, client);
    const response = await this.#guess(key, { ...client, known }, work);
    if (response.status === 200) this.#known.add(email, client.network);
    return response;
  }

  /**
   * Runs a password change in a session. Its wrong passwords are counted separately from those of sign-ins.
   *
   * @throws {RequestError} rate_limited, server_busy
   */
  async changePassword(userId: string, client: Client, work: () => Promise<Response>): Promise<Response> {
    this.#take(this.#changes, client);
    return this.#guess(`change ${userId}`, { ...client, known: true }, work);
  }

  /**
   * Runs the setup, after the setup code was checked.
   *
   * @throws {RequestError} server_busy
   */
  async setUp<T>(client: Client, work: () => Promise<T>): Promise<T> {
    return this.#queue.run({ ...client, known: true }, work);
  }

  #take(limits: AddressLimits, { address }: Client): void {
    const state = limits.consume(address, Date.now());
    if (state !== null && !state.passed) throw tooMany('from this IP address', state.resetSeconds);
  }

  /** @param key groups the wrong passwords that are counted together */
  async #guess(
    key: string,
    client: Client & { known: boolean },
    work: () => Promise<Response>,
  ): Promise<Response> {
    this.#checkWait(key);
    return this.#queue.run(client, async () => {
      // Requests ahead in the queue may have sent wrong passwords.
      this.#checkWait(key);
      const response = await work();
      if (response.status === 200) this.#wrong.clear(key);
      else if (response.status === 400 || response.status === 401) this.#wrong.count(key);
      return response;
    });
  }

  #checkWait(key: string): void {
    const seconds = this.#wrong.secondsToWait(key);
    if (seconds > 0) throw tooMany('for this account', seconds);
  }
}

function tooMany(where: string, seconds: number): RequestError {
  return new RequestError({
    code: 'rate_limited',
    message: `Too many password attempts ${where}. Try again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`,
    headers: { 'retry-after': String(seconds) },
  });
}
