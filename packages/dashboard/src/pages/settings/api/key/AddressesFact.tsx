import { useQuery } from '@tanstack/react-query';
import { usageOptions } from '../../../../api/usage.ts';
import { InvalidFields } from '../../../../components/use-submit.ts';
import { AddressesField, readAddresses } from '../policy/AddressesField.tsx';
import { EditableFact } from './EditableFact.tsx';
import { FactForm } from './FactForm.tsx';
import { appliedEverywhere, type FactProps } from './facts.ts';

export function AddressesFact({ apiKey, open, canEdit }: FactProps) {
  const { data: usage } = useQuery({ ...usageOptions(apiKey.id), enabled: open === 'addresses' });
  const form = (
    <FactForm
      apiKey={apiKey}
      field="allowedAddresses"
      what="addresses"
      read={readForm}
      describe={({ allowedAddresses }) =>
        `accepted from ${countAddresses(allowedAddresses)}. ${appliedEverywhere}`
      }
    >
      {(problem) => (
        <AddressesField
          label="Allowed addresses"
          value={apiKey.allowedAddresses}
          lastAddress={usage?.lastUsed?.address}
          problem={problem}
        />
      )}
    </FactForm>
  );
  return (
    <EditableFact
      name="Allowed addresses"
      what="addresses"
      panel="addresses"
      open={open}
      canEdit={canEdit}
      form={form}
    >
      {apiKey.allowedAddresses.length === 0 ? <span key="all">All</span> : null}
      {apiKey.allowedAddresses.map((address) => (
        <code key={address} className="fact__code" translate="no">
          {address}
        </code>
      ))}
    </EditableFact>
  );
}

function readForm(fields: FormData) {
  const read = readAddresses(String(fields.get('allowedAddresses')));
  if (read.problem !== undefined) throw new InvalidFields({ allowedAddresses: read.problem });
  return { allowedAddresses: read.addresses };
}

function countAddresses({ length }: readonly string[]): string {
  if (length === 0) return 'all addresses';
  return length === 1 ? '1 address or block only' : `${length} addresses or blocks only`;
}
