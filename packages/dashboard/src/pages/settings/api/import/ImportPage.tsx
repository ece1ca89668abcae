import './ImportPage.css';
import type { ImportResult } from '@soku/contract/imports';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { PageHead } from '../../../../components/PageHead.tsx';
import { Breadcrumbs } from '../../Breadcrumbs.tsx';
import { CheckedFile } from './CheckedFile.tsx';
import { ChooseFile } from './ChooseFile.tsx';
import { guessMapping, type Mapping } from './columns.ts';
import { ImportDone } from './ImportDone.tsx';
import { MapColumns } from './MapColumns.tsx';
import type { ImportFile } from './read-file.ts';

type Step =
  | { name: 'choose' }
  | { name: 'map'; file: ImportFile; mapping: Mapping }
  | { name: 'checked'; file: ImportFile; mapping: Mapping; result: ImportResult }
  | { name: 'done'; result: ImportResult };

/** Imports keys that another system has issued, by their hashes: choose a file, assign its columns, check, import. */
export function ImportPage() {
  const [step, setStep] = useState<Step>({ name: 'choose' });
  const restart = () => setStep({ name: 'choose' });

  return (
    <>
      <Breadcrumbs page="Import" />
      <PageHead title="Import keys">
        <span>
          Move keys from another system without changing the programs that use them: import the SHA-256 of
          each key. For keys that do not have the format of Soku, the operator must set{' '}
          <code translate="no">SOKU_IMPORTED_KEY_PREFIXES</code> to their prefixes.{' '}
          <Link to="/docs" hash="importKeys">
            API reference
          </Link>
        </span>
      </PageHead>
      {step.name === 'choose' ? (
        <ChooseFile onRead={(file) => setStep({ name: 'map', file, mapping: guessMapping(file) })} />
      ) : null}
      {step.name === 'map' ? (
        <MapColumns
          file={step.file}
          mapping={step.mapping}
          onChange={(mapping) => setStep({ ...step, mapping })}
          onChecked={(result) => setStep({ ...step, name: 'checked', result })}
          onRestart={restart}
        />
      ) : null}
      {step.name === 'checked' ? (
        <CheckedFile
          key={step.result.problems.length > 0 ? 'problems' : 'ready'}
          file={step.file}
          mapping={step.mapping}
          result={step.result}
          // Someone else may have imported or revoked a key since the check.
          onImported={(result) =>
            setStep(result.problems.length > 0 ? { ...step, result } : { name: 'done', result })
          }
          onBack={() => setStep({ name: 'map', file: step.file, mapping: step.mapping })}
          onRestart={restart}
        />
      ) : null}
      {step.name === 'done' ? <ImportDone result={step.result} onRestart={restart} /> : null}
    </>
  );
}
