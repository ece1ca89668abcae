import { noOrigin, type Origin } from '../events/actor.ts';
import type { NewEvent } from '../events/events.ts';
import { networkOf } from '../limits/network.ts';
import { PeriodicTask, scheduleTimer } from '../timers/periodic-task.ts';
import { type AccountName, accountEvent, personActor, unknownAccount } from './account-events.ts';

/** The period, in ms, whose failed sign-ins become one event. */
const minute = 60_000;

/** ms between two checks for minutes that have ended. */
const interval = 5000;

/** Maximum number of counts in memory. Further failures share one count without an address. */
const maxCounts = 1000;

/** The failed sign-ins to one account, or to none that exists, from one network in one minute. */
interface Count {
  account: AccountName;
  /** The origin of the first one, as an example. */
  origin: Origin;
  count: number;
  /** Epoch ms of the last one. */
  lastAt: number;
}

interface Options {
  append: (events: NewEvent[]) => Promise<void>;
  failed: (error: unknown) => void;
  /** Epoch ms. */
  now?: () => number;
}

/**
 * Counts failed sign-ins by account, network and minute before they become events, so that password guessing cannot
 * fill the audit log, even from all the addresses of an IPv6 network. A crash loses the counts of the last minute.
 */
export class FailedSignIns {
  readonly #options: Options;
  readonly #now: () => number;
  readonly #background: PeriodicTask;
  #counts = new Map<string, Count>();

  constructor(options: Options) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#background = new PeriodicTask(() => this.#write((at) => at < startOf(this.#now())), {
      interval,
      failed: options.failed,
      schedule: scheduleTimer,
    });
  }

  /** @param account the account with the submitted email address, if it exists */
  add(account: AccountName = unknownAccount, origin: Origin): void {
    const now = this.#now();
    const minuteStart = startOf(now);
    const key = `${minuteStart} ${account.id} ${networkIn(origin)}`;
    if (this.#counts.has(key) || this.#counts.size < maxCounts)
      this.#count(key, account, { ...origin, requestId: null }, now);
    else this.#count(`${minuteStart} rest`, unknownAccount, noOrigin, now);
  }

  #count(key: string, account: AccountName, origin: Origin, now: number): void {
    const counted = this.#counts.get(key) ?? { account, origin, count: 0, lastAt: now };
    counted.count += 1;
    counted.lastAt = now;
    this.#counts.set(key, counted);
  }

  start(): void {
    this.#background.start();
  }

  /** Writes all counts. */
  async stop(): Promise<void> {
    await this.#background.stop();
    await this.#write(() => true).catch(this.#options.failed);
  }

  /** @param isOver whether the minute that contains an instant (epoch ms) has ended */
  async #write(isOver: (at: number) => boolean): Promise<void> {
    const written = [...this.#counts].filter(([, { lastAt }]) => isOver(lastAt));
    if (written.length === 0) return;
    // Removed before the write, so that sign-ins during the write start a new count.
    for (const [key] of written) this.#counts.delete(key);
    try {
      const now = this.#now();
      await this.#options.append(written.map(([, count]) => toEvent(count, now)));
    } catch (error) {
      for (const [key, count] of written) if (!this.#counts.has(key)) this.#counts.set(key, count);
      throw error;
    }
  }
}

function startOf(at: number): number {
  return at - (at % minute);
}

function networkIn({ address }: Origin): string | undefined {
  return address === null ? undefined : networkOf(address);
}

/**
 * @param now epoch ms. The event has the time at which it is written, and so does its id: a program that polls for new
 *   events would miss one that appears among those already read
 */
function toEvent({ account, origin, count, lastAt }: Count, now: number): NewEvent {
  const network = networkIn(origin);
  const details = {
    count,
    lastAttemptAt: new Date(lastAt).toISOString(),
    // The network shows that the address is only an example.
    ...(network === undefined || network === origin.address ? {} : { network }),
  };
  return accountEvent('account.sign_in_failed', account, personActor(unknownAccount, origin), now, {
    details,
  });
}
