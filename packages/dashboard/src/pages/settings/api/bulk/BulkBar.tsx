import './BulkBar.css';
import type { ListedKey } from '@soku/contract/keys';
import { X } from 'lucide-react';
import { Button } from '../../../../components/Button.tsx';
import { useRenderEveryMinute } from '../../../../dates/use-render-every-minute.ts';
import { maxSelected } from '../list/selection.ts';
import { describeUse } from './busiest-keys.ts';
import { formatKeyCount } from './count-keys.ts';

interface BulkBarProps {
  keys: ListedKey[];
  onRevoke: () => void;
  onClear: () => void;
}

/** Says how many keys are selected and how busy they are. It floats, so that the list does not move. */
export function BulkBar({ keys, onRevoke, onClear }: BulkBarProps) {
  useRenderEveryMinute();
  return (
    <div className="bulk-place">
      <section className="bulk" aria-label="Selected keys">
        <p className="bulk__text">
          <b>{`${formatKeyCount(keys.length)} selected`}</b>
          <span className="bulk__use">{usageText(keys)}</span>
        </p>
        <Button variant="danger" onClick={onRevoke} aria-keyshortcuts="Delete">
          {`Revoke ${formatKeyCount(keys.length)}`}
        </Button>
        <button type="button" className="bulk__clear" aria-label="Clear selection" onClick={onClear}>
          <X size={16} aria-hidden />
        </button>
      </section>
    </div>
  );
}

function usageText(keys: ListedKey[]): string {
  return keys.length < maxSelected ? describeUse(keys) : 'the most that you can select at once';
}
