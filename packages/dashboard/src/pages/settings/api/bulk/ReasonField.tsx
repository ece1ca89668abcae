import { SelectField } from '../../../../components/Field.tsx';
import { revokeReasons } from '../revoke-reasons.ts';

interface ReasonFieldProps {
  /** '' if none was chosen. */
  value: string;
  onChange: (reason: string) => void;
}

/** Why keys are revoked. Their pages and the audit log show it. */
export function ReasonField({ value, onChange }: ReasonFieldProps) {
  return (
    <SelectField label="Reason (optional)" value={value} onChange={({ target }) => onChange(target.value)}>
      <option value="">Not stated</option>
      {revokeReasons.map(({ reason, name }) => (
        <option key={reason} value={reason}>
          {name}
        </option>
      ))}
    </SelectField>
  );
}
