import type { RevokeReason } from '@soku/contract/key-policy';
import { revokeReasonSchema } from '@soku/contract/key-values';

const names: Record<RevokeReason, string> = {
  leaked: 'Leaked',
  unused: 'Unused',
  replaced: 'Replaced',
  person_left: 'Person left',
  other: 'Other',
};

export const revokeReasons = revokeReasonSchema.options.map((reason) => ({ reason, name: names[reason] }));

export function describeReason(reason: RevokeReason): string {
  return names[reason];
}

/** @param text of the form; '' if none was chosen */
export function readReason(text: string): RevokeReason | undefined {
  return revokeReasonSchema.safeParse(text).data;
}
