import { useQuery } from '@tanstack/react-query';
import { historyOptions, type UsageRange } from '../../api/usage-history.ts';
import { LoadFailed } from '../../components/LoadFailed.tsx';
import { Section } from '../../components/Section.tsx';
import { Clients } from '../settings/api/usage/Clients.tsx';

export function WorkspaceClients({ range }: { range: UsageRange }) {
  const { data, error, refetch } = useQuery(historyOptions(undefined, range));
  if (data || !error) return <Clients usage={data} range={data?.range ?? range} />;
  return (
    <Section title="Addresses and programs">
      <LoadFailed error={error} onRetry={refetch} />
    </Section>
  );
}
