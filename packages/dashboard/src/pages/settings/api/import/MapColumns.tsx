import { type ImportColumn, importColumns } from '@soku/contract/import-table';
import type { ImportResult } from '@soku/contract/imports';
import { ChevronDown } from 'lucide-react';
import { useId } from 'react';
import { checkImport } from '../../../../api/import-keys.ts';
import { Button } from '../../../../components/Button.tsx';
import { Failure, Notice } from '../../../../components/Notice.tsx';
import { useCall } from '../../../../components/use-call.ts';
import { withSignIn } from '../../../../session/sign-in-again.ts';
import { formatKeyCount } from '../bulk/count-keys.ts';
import { type Mapping, stateColumnOf, toKeys } from './columns.ts';
import type { ImportFile } from './read-file.ts';
import { StepSection } from './StepSection.tsx';

interface MapColumnsProps {
  file: ImportFile;
  mapping: Mapping;
  onChange: (mapping: Mapping) => void;
  onChecked: (result: ImportResult) => void;
  onRestart: () => void;
}

const required: ImportColumn[] = ['name', 'hash'];

/** Assigns the columns of the file to the fields of a key. */
export function MapColumns({ file, mapping, onChange, onChecked, onRestart }: MapColumnsProps) {
  const check = useCall(async () => onChecked(await withSignIn(() => checkImport(toKeys(file, mapping)))));
  const count = formatKeyCount(file.rows.length);
  const missing = required.filter((field) => !mapping.includes(field));
  const stateColumn = stateColumnOf(file);
  const choose = (index: number, field: ImportColumn | null) =>
    // A field has one column.
    onChange(mapping.map((before, i) => (i === index ? field : before === field ? null : before)));

  return (
    <StepSection title={`Columns of ${file.name}`}>
      <p className="import-lead">{`${count}. Check which field each column contains.`}</p>
      <table className="table import-table">
        <thead>
          <tr>
            <th scope="col">Column</th>
            <th scope="col" className="import-table__value">
              First row
            </th>
            <th scope="col">Field</th>
          </tr>
        </thead>
        <tbody>
          {file.columns.map((column, index) => (
            <tr key={column}>
              <th scope="row" translate="no">
                {column}
              </th>
              <td className="import-table__value">
                <code translate="no">{shownCell(file.rows[0]?.[index])}</code>
              </td>
              <td>
                <FieldChoice
                  column={column}
                  value={mapping[index] ?? null}
                  onChange={(field) => choose(index, field)}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {stateColumn === undefined ? null : (
        <Notice tone="warn">
          <p>
            <span>Every key in this file will be accepted, because the column </span>
            <code translate="no">{stateColumn}</code>
            <span> is not imported. Remove the rows of disabled and revoked keys first.</span>
          </p>
        </Notice>
      )}
      {missing.length > 0 ? (
        <Notice tone="warn">
          <p>{`No column contains the ${missing.join(' or the ')}. Every key needs a name and a hash.`}</p>
        </Notice>
      ) : null}
      <Failure error={check.error} />
      <div className="import-actions">
        <Button onClick={onRestart}>Choose another file</Button>
        {missing.length > 0 ? null : (
          <Button variant="primary" busy={check.busy} onClick={check.run}>
            {`Check ${count}`}
          </Button>
        )}
      </div>
    </StepSection>
  );
}

interface FieldChoiceProps {
  column: string;
  value: ImportColumn | null;
  onChange: (field: ImportColumn | null) => void;
}

function FieldChoice({ column, value, onChange }: FieldChoiceProps) {
  const id = useId();
  return (
    <span className="field__select">
      <label className="visually-hidden" htmlFor={id}>{`Field of the column ${column}`}</label>
      <select
        id={id}
        className="control control--select"
        value={value ?? ''}
        onChange={({ target }) => onChange(importColumns.find((field) => field === target.value) ?? null)}
      >
        <option value="">Not imported</option>
        {importColumns.map((field) => (
          <option key={field} value={field} translate="no">
            {field}
          </option>
        ))}
      </select>
      <ChevronDown size={16} aria-hidden />
    </span>
  );
}

/** In characters. */
const maxShown = 80;

function shownCell(cell = ''): string {
  return cell.length > maxShown ? `${cell.slice(0, maxShown)}…` : cell;
}
