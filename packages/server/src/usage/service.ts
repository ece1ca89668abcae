import type { KeyService } from '../keys/service.ts';
import type { Usage } from './schemas.ts';

const hourMs = 3_600_000;

/** Who used a key, when, and how often. */
export class UsageService {
  readonly #keys: KeyService;
  readonly #now: () => number;

  constructor(keys: KeyService, now: () => number) {
    this.#keys = keys;
    this.#now = now;
  }

  /**
   * @param hours how many hours back, the current one included
   * @throws {RequestError} not_found, the same for a key of another workspace as for none
   */
  async get(workspaceId: string, keyId: string, hours: number): Promise<Usage> {
    await this.#keys.get(workspaceId, keyId);
    const to = Math.floor(this.#now() / hourMs) + 1;
    const from = to - hours;
    return {
      keyId,
      from: isoHour(from),
      to: isoHour(to),
      accepted: 0,
      refused: 0,
      hours: Array.from({ length: hours }, (_, i) => ({ hour: isoHour(from + i), accepted: 0, refused: 0 })),
      lastUsed: null,
    };
  }
}

/** @param hour epoch hours */
function isoHour(hour: number): string {
  return new Date(hour * hourMs).toISOString();
}
