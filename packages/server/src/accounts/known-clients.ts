/** Maximum number of pairs of an account and a network in memory. */
const maxPairs = 10_000;

/**
 * The networks from which each account has signed in since the process started. A network is added only after a
 * successful sign-in, so an attacker without the password cannot add one.
 */
export class KnownClients {
  /** In order of the last sign-in, oldest first. */
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
    if (this.#pairs.size > maxPairs && oldest !== undefined) this.#pairs.delete(oldest);
  }
}

function pair(email: string, network: string): string {
  return `${network} ${email}`;
}
