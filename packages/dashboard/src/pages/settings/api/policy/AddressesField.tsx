import { allowedAddressesSchema } from '@soku/contract/allowed-addresses';
import { CodeAreaField } from '../../../../components/CodeAreaField.tsx';
import { toSentence } from '../../../../components/sentence.ts';

interface AddressesFieldProps {
  label: string;
  value: readonly string[];
  /** The IP address of the last request with the key. */
  lastAddress?: string | undefined;
  problem: string | undefined;
}

export function AddressesField({ label, value, lastAddress, problem }: AddressesFieldProps) {
  return (
    <CodeAreaField
      label={label}
      name="allowedAddresses"
      rows={Math.min(Math.max(value.length + 1, 3), 10)}
      defaultValue={value.join('\n')}
      placeholder={'203.0.113.7\n10.1.0.0/16'}
      problem={problem}
      hint={
        <>
          <span>One IP address or CIDR block per line. Empty: the key is accepted from all addresses. </span>
          {lastAddress === undefined ? null : (
            <span>
              The last request came from <code translate="no">{lastAddress}</code>.
            </span>
          )}
        </>
      }
    />
  );
}

/** The addresses for the API, or the first problem. */
export function readAddresses(
  text: string,
): { addresses: string[]; problem?: undefined } | { addresses?: undefined; problem: string } {
  const entries = text.split(/[\s,]+/).filter(Boolean);
  const read = allowedAddressesSchema.safeParse(entries);
  if (read.success) return { addresses: read.data };
  const [issue] = read.error.issues;
  const [index] = issue?.path ?? [];
  const entry = typeof index === 'number' ? entries[index] : undefined;
  const problem = issue?.message ?? '';
  return {
    problem: entry === undefined ? toSentence(problem) : toSentence(`"${shorten(entry)}" ${problem}`),
  };
}

/** In characters. */
const longestQuote = 50;

function shorten(entry: string): string {
  return entry.length > longestQuote ? `${entry.slice(0, longestQuote)}…` : entry;
}
