import './Clients.css';
import type { RangeUsage, UsageRange } from '../../../../api/usage-history.ts';
import { Section } from '../../../../components/Section.tsx';
import { dateFormat } from '../../../../dates/zone.ts';
import { ClientTable } from './ClientTable.tsx';
import { CsvLink } from './CsvLink.tsx';

interface ClientsProps {
  /** Undefined while loading. */
  usage: RangeUsage | undefined;
  keyId?: string | undefined;
  range: UsageRange;
}

/** How many requests one sample stands for, until the response says it. */
const usualSampling = 16;

/** Where accepted requests came from, and the programs that sent them. */
export function Clients({ usage, keyId, range }: ClientsProps) {
  const clients = usage?.clients;
  const lead = `Estimated from a sample: one in ${clients?.sampling ?? usualSampling} accepted requests. Counted in whole days (UTC).`;
  return (
    <Section
      title="Addresses and programs"
      lead={lead}
      action={<CsvLink keyId={keyId} range={range} table="clients" timeZone={usage?.timeZone} />}
    >
      <div className="clients" aria-busy={usage === undefined}>
        <ClientTable
          name="IP address"
          plural="addresses"
          clients={clients?.addresses}
          other={clients?.otherAddresses}
          accepted={usage?.accepted}
        />
        <ClientTable
          name="Program"
          plural="programs"
          clients={clients?.programs}
          other={clients?.otherPrograms}
          accepted={usage?.accepted}
        />
      </div>
      {clients ? <p className="clients__days">{daysOf(clients)}</p> : null}
    </Section>
  );
}

/** "29 Nov to 30 Nov, UTC" */
function daysOf({ from, to }: RangeUsage['clients']): string {
  const format = dateFormat('UTC', { day: 'numeric', month: 'short' });
  const [first, last] = [format.format(Date.parse(from)), format.format(Date.parse(to) - 1)];
  return first === last ? `${first}, UTC` : `${first} to ${last}, UTC`;
}
