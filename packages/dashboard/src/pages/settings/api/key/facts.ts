import type { Key } from '@soku/contract/keys';
import type { Panel } from '../../../../components/use-panel.ts';

export interface FactProps {
  apiKey: Key;
  /** The panel that the URL names. */
  open: Panel | undefined;
  /** False for a revoked key. */
  canEdit: boolean;
}

/** Added to the result of a change that verification depends on, because the call returns only then. */
export const appliedEverywhere = 'Every server applies this now.';
