import type { ImportResult } from '@soku/contract/imports';
import { Link } from '@tanstack/react-router';
import { Button, buttonClass } from '../../../../components/Button.tsx';
import { Notice } from '../../../../components/Notice.tsx';
import { formatKeyCount } from '../bulk/count-keys.ts';
import { StepSection } from './StepSection.tsx';

interface ImportDoneProps {
  result: ImportResult;
  onRestart: () => void;
}

export function ImportDone({ result: { imported, unchanged }, onRestart }: ImportDoneProps) {
  return (
    <StepSection title={`${formatKeyCount(imported)} imported`}>
      <Notice tone="good">
        <p>{imported === 1 ? 'Every server knows the key.' : 'Every server knows the keys.'}</p>
        <p>
          Programs can keep using their keys. Keys that do not have the format of Soku are accepted only if
          the operator has set <code translate="no">SOKU_IMPORTED_KEY_PREFIXES</code> to their prefixes.
        </p>
        {unchanged > 0 ? (
          <p>{`${formatKeyCount(unchanged)} ${unchanged === 1 ? 'was' : 'were'} already in this workspace.`}</p>
        ) : null}
      </Notice>
      <div className="import-actions">
        <Button onClick={onRestart}>Import another file</Button>
        <Link to="/settings/api" className={buttonClass('primary')}>
          Show the keys
        </Link>
      </div>
    </StepSection>
  );
}
