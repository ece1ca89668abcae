import { columnOfPath } from '@soku/contract/import-table';
import { type ImportResult, maxImportProblems } from '@soku/contract/imports';
import { useQueryClient } from '@tanstack/react-query';
import { Download } from 'lucide-react';
import { useEffect, useState } from 'react';
import { importKeys } from '../../../../api/import-keys.ts';
import { Button, buttonClass } from '../../../../components/Button.tsx';
import { formatNumber } from '../../../../components/format-number.ts';
import { Failure, Notice } from '../../../../components/Notice.tsx';
import { useCall } from '../../../../components/use-call.ts';
import { withSignIn } from '../../../../session/sign-in-again.ts';
import { formatKeyCount } from '../bulk/count-keys.ts';
import { type Mapping, toKeys } from './columns.ts';
import { problemText, toCsv } from './problems.ts';
import type { ImportFile } from './read-file.ts';
import { StepSection } from './StepSection.tsx';

interface CheckedFileProps {
  file: ImportFile;
  mapping: Mapping;
  result: ImportResult;
  onImported: (result: ImportResult) => void;
  onBack: () => void;
  onRestart: () => void;
}

/** The result of the check: what an import would do, or what is wrong. */
export function CheckedFile({ file, mapping, result, onImported, onBack, onRestart }: CheckedFileProps) {
  const client = useQueryClient();
  const { busy, error, run } = useCall(async () =>
    onImported(await withSignIn(() => importKeys(client, toKeys(file, mapping)))),
  );
  const hasProblems = result.problems.length > 0;
  return (
    <StepSection title={hasProblems ? 'Nothing can be imported yet' : titleOfReady(result.imported)}>
      {hasProblems ? (
        <Problems file={file} problems={result.problems} />
      ) : (
        <Ready file={file} result={result} />
      )}
      {busy ? <Progress count={result.imported} /> : null}
      <Failure error={error} />
      <div className="import-actions">
        <Button onClick={hasProblems ? onRestart : onBack}>
          {hasProblems ? 'Choose the corrected file' : 'Back to the columns'}
        </Button>
        {hasProblems ? <Button onClick={onBack}>Back to the columns</Button> : null}
        {hasProblems || result.imported === 0 ? null : (
          <Button variant="primary" busy={busy} onClick={run}>
            {`Import ${formatKeyCount(result.imported)}`}
          </Button>
        )}
      </div>
    </StepSection>
  );
}

function titleOfReady(count: number): string {
  return count === 0 ? 'Nothing to import' : `Ready to import ${formatKeyCount(count)}`;
}

function Ready({ file, result }: { file: ImportFile; result: ImportResult }) {
  const { imported, unchanged } = result;
  return (
    <div className="import-facts">
      <p>
        {imported === 0
          ? 'The workspace already has all of these keys.'
          : `No problems found in ${file.name}. All keys are imported, or none if one cannot be.`}
      </p>
      {unchanged > 0 && imported > 0 ? (
        <p>{`${formatKeyCount(unchanged)} of the file ${unchanged === 1 ? 'is' : 'are'} already here and will not change.`}</p>
      ) : null}
    </div>
  );
}

function Progress({ count }: { count: number }) {
  return (
    <div className="import-progress" role="status">
      <progress aria-label="Import" />
      <p>{`Importing ${formatKeyCount(count)} and waiting for every server to confirm…`}</p>
    </div>
  );
}

/** The others are in the file that can be downloaded. */
const shownProblems = 100;

function Problems({ file, problems }: { file: ImportFile; problems: ImportResult['problems'] }) {
  const count = problems.length === 1 ? '1 problem' : `${formatNumber(problems.length)} problems`;
  const isAll = problems.length < maxImportProblems;
  return (
    <>
      <Notice tone="bad">
        <p>
          {isAll
            ? `${count}. Correct the file, and choose it again.`
            : `The first ${count}. Correct the file, and choose it again.`}
        </p>
      </Notice>
      <table className="table import-table">
        <caption className="visually-hidden">Problems by row</caption>
        <thead>
          <tr>
            <th scope="col" className="import-table__row">
              Row
            </th>
            <th scope="col">Field</th>
            <th scope="col">Problem</th>
          </tr>
        </thead>
        <tbody>
          {problems.slice(0, shownProblems).map(({ index, path, problem }, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the list does not change, and a field can have two problems
            <tr key={i}>
              <td className="import-table__row">{formatNumber(file.numbers[index] ?? index)}</td>
              <td>
                <code translate="no">{columnOfPath(path)}</code>
              </td>
              <td>{problemText({ problem })}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div className="import-more">
        {problems.length > shownProblems ? <p>{`The first ${shownProblems} of ${count}.`}</p> : null}
        <DownloadProblems text={toCsv(file, problems)} />
      </div>
    </>
  );
}

function DownloadProblems({ text }: { text: string }) {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    const created = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
    setUrl(created);
    return () => URL.revokeObjectURL(created);
  }, [text]);
  return (
    <a className={buttonClass('secondary')} href={url} download="import-problems.csv">
      <Download size={16} aria-hidden />
      <span>Download problems as CSV</span>
    </a>
  );
}
