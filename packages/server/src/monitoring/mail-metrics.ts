import { Counter, Gauge, type Registry } from 'prom-client';
import { setMetricValues } from './set-values.ts';

/** The outcomes of emails since the process started. */
export type MailOutcomes = Record<'sent' | 'deferred' | 'refused' | 'expired', number>;

export interface MailSource {
  counts: MailOutcomes;
  /** ms since the oldest email that waits was created; 0: none waits. */
  oldestAge: () => number;
}

export function addMailMetrics(registry: Registry, { counts, oldestAge }: MailSource): void {
  const registers = [registry];
  new Counter({
    name: 'soku_mails_total',
    help: 'Emails by result: sent, deferred (the attempt is retried), or not delivered (refused, expired)',
    labelNames: ['result'],
    registers,
    collect() {
      setMetricValues(this, 'result', { ...counts });
    },
  });
  new Gauge({
    name: 'soku_oldest_mail_age_seconds',
    help: 'Age of the oldest email of the deployment that is due or waits for another attempt; 0: none',
    registers,
    collect() {
      this.set(oldestAge() / 1000);
    },
  });
}
