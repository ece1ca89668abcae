import { Counter, type Registry } from 'prom-client';
import { setMetricValues } from './set-values.ts';

/** The outcomes of mails since the process started. */
export type MailOutcomes = Record<'sent' | 'deferred' | 'refused' | 'expired', number>;

export function addMailMetrics(registry: Registry, mails: MailOutcomes): void {
  new Counter({
    name: 'soku_mails_total',
    help: 'Emails by result: sent, deferred (the attempt is repeated), or given up (refused, expired)',
    labelNames: ['result'],
    registers: [registry],
    collect() {
      setMetricValues(this, 'result', { ...mails });
    },
  });
}
