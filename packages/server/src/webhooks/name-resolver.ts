import { lookup, Resolver } from 'node:dns/promises';
import type { ReachableAddresses } from './addresses.ts';

interface Options {
  addresses: Pick<ReachableAddresses, 'isAllowed'>;
  /** ms for the resolution of a name that the operator does not list. */
  timeout: number;
  /** Name servers, for example 127.0.0.1:53. Default: those of the system. */
  servers?: readonly string[] | undefined;
}

export interface ResolvedAddress {
  address: string;
  family: number;
}

/** The code of an error if the name has no address. */
export const nameNotFoundCode = 'ENOTFOUND';

/** ms until the first query of a name is repeated. */
const firstQuery = 2000;

/**
 * Resolves the names of receivers. Members choose these names, so some may have name servers that never respond. The
 * lookup of the system (getaddrinfo) would then occupy the few threads of libuv, for which the connections to
 * PostgreSQL, the upstream and the SMTP server wait. So names are resolved with c-ares, which needs no thread. Only
 * names that the operator lists are looked up by the system, because they may be in /etc/hosts.
 */
export class NameResolver {
  readonly #options: Options;
  readonly #pending = new Set<Resolver>();
  #isClosed = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** @returns all addresses, IPv4 first. Throws an error with a code; `nameNotFoundCode`: there are none */
  async resolve(hostname: string): Promise<readonly ResolvedAddress[]> {
    const { addresses, timeout, servers } = this.#options;
    if (addresses.isAllowed(hostname)) return lookup(hostname, { all: true });
    if (this.#isClosed) throw codedError('ECANCELLED');
    // One for each name, because the only way to end queries is to end all of a resolver.
    const resolver = new Resolver({ timeout: firstQuery, tries: 2 });
    if (servers !== undefined) resolver.setServers(servers);
    this.#pending.add(resolver);
    const timer = setTimeout(() => resolver.cancel(), timeout);
    try {
      const [ipv4, ipv6] = await Promise.allSettled([
        resolver.resolve4(hostname),
        resolver.resolve6(hostname),
      ]);
      const found = [...addressesOf(ipv4, 4), ...addressesOf(ipv6, 6)];
      if (found.length === 0) throw codedError(codeOf([ipv4, ipv6]));
      return found;
    } finally {
      clearTimeout(timer);
      this.#pending.delete(resolver);
    }
  }

  /** Ends all queries. */
  close(): void {
    this.#isClosed = true;
    for (const resolver of this.#pending) resolver.cancel();
  }
}

/** A failed query returns no addresses: some name servers do not respond to queries for IPv6. */
function addressesOf(result: PromiseSettledResult<string[]>, family: number): ResolvedAddress[] {
  return result.status === 'rejected' ? [] : result.value.map((address) => ({ address, family }));
}

/** The reason why a name has no address: a query that failed, or `nameNotFoundCode`. */
function codeOf(results: readonly PromiseSettledResult<string[]>[]): string {
  const codes = results.flatMap((result) => {
    if (result.status === 'fulfilled') return [];
    const error: unknown = result.reason;
    return error instanceof Error && 'code' in error ? [String(error.code)] : [];
  });
  // ENODATA: the name exists, without an address of this kind.
  return codes.find((code) => code !== nameNotFoundCode && code !== 'ENODATA') ?? nameNotFoundCode;
}

function codedError(code: string): Error {
  return Object.assign(new Error(`the name was not resolved (${code})`), { code });
}
