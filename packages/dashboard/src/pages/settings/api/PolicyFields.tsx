import { useSession } from '../../../api/session.ts';
import { SelectField, TextField } from '../../../components/Field.tsx';
import type { FieldProblems } from '../../../components/use-submit.ts';
import { ExpiryField } from './ExpiryField.tsx';
import { NewKeyLimit } from './NewKeyLimit.tsx';
import { AddressesField } from './policy/AddressesField.tsx';
import { ScopePicker } from './policy/ScopePicker.tsx';

const none: string[] = [];

interface PolicyFieldsProps {
  problems: FieldProblems;
  withExpiry: boolean;
}

/** The optional fields of a new key. */
export function PolicyFields({ problems, withExpiry }: PolicyFieldsProps) {
  const testPrefix = useSession()?.testKeyPrefix ?? null;
  return (
    <div className="more__fields">
      <ScopePicker value={none} problem={problems.scopes} />
      {withExpiry ? <ExpiryField current={null} problem={problems.expiresAt} /> : null}
      <NewKeyLimit problem={problems.requests} />
      <AddressesField label="Allowed addresses" value={none} problem={problems.allowedAddresses} />
      {testPrefix === null ? null : <EnvironmentField testPrefix={testPrefix} />}
      <TextField
        label="External ID"
        name="externalId"
        autoComplete="off"
        hint="The ID that your own system has for the customer or program. Your API receives it with each request."
        problem={problems.externalId}
      />
    </div>
  );
}

/** Only shown if the operator has set a prefix for test keys. */
function EnvironmentField({ testPrefix }: { testPrefix: string }) {
  return (
    <SelectField
      label="Environment"
      name="environment"
      hint={`Test keys start with ${testPrefix} and are rejected wherever only live keys are accepted.`}
    >
      <option value="live">Live</option>
      <option value="test">Test</option>
    </SelectField>
  );
}
