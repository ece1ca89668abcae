import { Link } from '@tanstack/react-router';
import type { Reason } from './reasons.ts';

/** The name of a reason, with a link to its section of the troubleshooting page if there is one. */
export function ReasonName({ reason: { code, name }, className }: { reason: Reason; className?: string }) {
  if (code === undefined) return <span className={className}>{name}</span>;
  return (
    <Link to="/help/api-troubleshooting" hash={code} className={className}>
      {name}
    </Link>
  );
}
