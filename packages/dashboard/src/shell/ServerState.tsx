import './ServerState.css';
import { useQuery } from '@tanstack/react-query';
import { TriangleAlert } from 'lucide-react';
import { serversOptions } from '../api/servers.ts';

/** Whether all servers of the deployment are up to date. Renders nothing for a single server. */
export function ServerState() {
  const { data, error } = useQuery(serversOptions);
  if (!data || data.total === 1) return null;
  const { total, ready } = data;
  if (error) return <p className="servers">Server status unknown</p>;
  if (ready === total) return <p className="servers servers--good">{`${total} servers, all up to date`}</p>;
  return (
    <p className="servers servers--bad">
      <TriangleAlert size={14} aria-hidden />
      <span>{`${ready} of ${total} servers ${ready === 1 ? 'responds' : 'respond'}`}</span>
    </p>
  );
}
