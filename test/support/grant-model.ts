/** A simple model of `soku_take_grants`: the database of unit tests, and the reference for the SQL function. */
import type { ClusterState } from '../../packages/server/src/limits/cluster-time.ts';
import type { GrantRequest, GrantResult } from '../../packages/server/src/limits/postgres-grants.ts';
import {
  type LimitWindow,
  maxQuota,
  minuteOf,
  weightedPrevious,
} from '../../packages/server/src/limits/sliding-window.ts';

const minute = 60_000;

export class GrantModel {
  /** The clock of the database, epoch ms. */
  now: number;
  /** Epoch ms at which each node was registered, by id. */
  readonly nodes = new Map<string, number>();
  readonly windows = new Map<string, LimitWindow>();

  constructor(now: number) {
    this.now = now;
  }

  take(
    requests: readonly GrantRequest[],
    withoutShare: { id: string | undefined; minute: number },
  ): GrantResult[] {
    const excluded = withoutShare.minute === minuteOf(this.now) ? withoutShare.id : undefined;
    const sharing = this.#registeredBefore(minuteOf(this.now)).filter((id) => id !== excluded).length;
    return requests.map((request) => this.#take(request, sharing));
  }

  look(id: string): ClusterState {
    const registered = this.#registeredBefore(minuteOf(this.now) + 1);
    return {
      at: this.now,
      nodes: this.nodes.size,
      sharing: registered.length,
      isSharing: registered.includes(id),
    };
  }

  /** Nodes that were registered 20 s before a minute. */
  #registeredBefore(epochMinute: number): string[] {
    return [...this.nodes].filter(([, at]) => at <= epochMinute * minute - 20_000).map(([id]) => id);
  }

  #take({ keyId, quota, wanted, unusedMinute, unused }: GrantRequest, sharing: number): GrantResult {
    const window = this.windows.get(keyId) ?? { minute: 0, current: 0, previous: 0 };
    this.windows.set(keyId, window);
    this.#advance(window, sharing > 0 && quota >= 20 * sharing ? Math.floor(quota / 20) : 0);
    if (unusedMinute === window.minute) window.current = Math.max(0, window.current - unused);
    if (unusedMinute === window.minute - 1) window.previous = Math.max(0, window.previous - unused);
    const msLeft = minute - (this.now % minute);
    const room = quota - window.current - weightedPrevious(window.previous, msLeft);
    let granted = 0;
    if (wanted && room >= 1) granted = Math.max(1, Math.floor(room / (2 * Math.max(1, this.nodes.size))));
    window.current += granted;
    return { at: this.now, keyId, ...window, granted };
  }

  /** @param ungranted requests that nodes may accept without a grant in a new minute */
  #advance(window: LimitWindow, ungranted: number): void {
    const ahead = minuteOf(this.now) - window.minute;
    if (ahead < 0) {
      window.current = Math.min(maxQuota, window.current + window.previous);
      window.previous = 0;
    } else if (ahead > 0) {
      window.previous = ahead === 1 ? window.current : 0;
      window.current = ungranted;
    }
    window.minute = minuteOf(this.now);
  }
}
