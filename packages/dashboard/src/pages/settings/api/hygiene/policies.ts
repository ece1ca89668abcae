/** Reads the policies of a workspace from their form. */
import { type Workspace, workspaceSchema } from '@soku/contract/workspaces';
import { InvalidFields } from '../../../../components/use-submit.ts';

type DayPolicies = Pick<Workspace, 'maxSecretAgeDays' | 'maxKeyIdleDays' | 'maxKeyLifetimeDays'>;
type Policies = DayPolicies & Pick<Workspace, 'requireKeyExpiry' | 'revokeLeakedKeys'>;

/** Only the changed ones are sent, so that what someone else changes at the same time stays. */
export function changedPolicies(before: Policies, after: Policies): Partial<Policies> {
  const { maxSecretAgeDays, maxKeyIdleDays, maxKeyLifetimeDays, requireKeyExpiry, revokeLeakedKeys } = after;
  return {
    ...(maxSecretAgeDays !== before.maxSecretAgeDays && { maxSecretAgeDays }),
    ...(maxKeyIdleDays !== before.maxKeyIdleDays && { maxKeyIdleDays }),
    ...(maxKeyLifetimeDays !== before.maxKeyLifetimeDays && { maxKeyLifetimeDays }),
    ...(requireKeyExpiry !== before.requireKeyExpiry && { requireKeyExpiry }),
    ...(revokeLeakedKeys !== before.revokeLeakedKeys && { revokeLeakedKeys }),
  };
}

/** @throws {InvalidFields} with the problem of each field that is wrong */
export function readDayFields(fields: FormData): DayPolicies {
  const problems: Record<string, string> = {};
  const read = (name: keyof DayPolicies): number | null => {
    const { days = null, problem } = parseDays(String(fields.get(name) ?? ''));
    if (problem !== undefined) problems[name] = problem;
    return days;
  };
  const policies = {
    maxSecretAgeDays: read('maxSecretAgeDays'),
    maxKeyIdleDays: read('maxKeyIdleDays'),
    maxKeyLifetimeDays: read('maxKeyLifetimeDays'),
  };
  if (Object.keys(problems).length > 0) throw new InvalidFields(problems);
  return policies;
}

/** A number of days, or what is wrong with the text. An empty field stands for no limit: null. */
export function parseDays(
  text: string,
): { days: number | null; problem?: undefined } | { days?: undefined; problem: string } {
  const digits = text.trim();
  if (digits === '') return { days: null };
  // Number() alone would also read 1e2 and 0x10, and "1.000" is a thousand in some countries.
  if (!/^\d+$/.test(digits)) return { problem: 'Use digits only, such as 90, or leave it empty.' };
  const days = workspaceSchema.shape.maxKeyIdleDays.safeParse(Number(digits));
  return days.success ? { days: days.data } : { problem: 'Must be between 1 and 3,650 days.' };
}
