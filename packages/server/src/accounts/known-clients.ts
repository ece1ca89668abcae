/** Most pairs of an account and a network in memory. */
const mostKnown = 10_000;

/**
 * The networks from which each account was signed in to since the process started. Adding one takes the password, so a
 * guesser cannot.
 */
export class KnownClients {
  /** In the order of the last sign-in, the oldest first. */
  readonly #pairs = new Set<string>();

  /** @param email in lower case */
  has(email: string, network: string): boolean {
    return this.#pairs.has(pair(email, network));
  }

  add(email: string, network: string): void {
    const added = pair(email, network);
    this.#pairs.delete(added);
    this.#pairs.add(added);
    const [oldest] = this.#pairs;
    if (this.#pairs.size > mostKnown && oldest !== undefined) this.#pairs.delete(oldest);
  }
}

function pair(email: string, network: string): string {
  return `${network} ${email}`;
}
