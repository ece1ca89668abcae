import type { RevokedKeys } from '@soku/contract/revocations';
import { formatNumber } from '../../../../components/format-number.ts';
import { formatKeyCount } from './count-keys.ts';

/** The result of a bulk revoke, which holds on every server when this is called. */
export function revokedText(
  revoked: number,
  already: number,
  { nodes, waitedMs }: RevokedKeys['revocation'],
): string {
  const measured = nodes === 1 ? '' : ` (${nodes} servers, ${formatNumber(waitedMs)} ms)`;
  const before = already === 0 ? '' : ` ${formatKeyCount(already)} had been revoked before.`;
  const them = revoked + already === 1 ? 'it' : 'them';
  return `${formatKeyCount(revoked)} revoked. No server accepts ${them} anymore${measured}.${before}`;
}
