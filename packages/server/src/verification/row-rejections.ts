import { type ErrorCode, errorCodeNames } from '@soku/contract/error-codes';
import { noRejections, type Rejections } from '../usage/rejection-counts.ts';
import { rejectionMask, rejectionShift } from './columns.ts';

/** The position of each code, for the column of flags. */
const codeNumbers = new Map<ErrorCode, number>(errorCodeNames.map((code, number) => [code, number]));

/** The code of the rejections of a row, as bits of its flags. */
export function rejectionBits(code: ErrorCode): number {
  return (codeNumbers.get(code) ?? 0) << rejectionShift;
}

/** The rejections of a row with these flags. */
export function rejectionsIn(flags: number, refused: number): Rejections {
  if (refused === 0) return noRejections;
  return { [errorCodeNames[(flags & rejectionMask) >> rejectionShift] ?? 'other']: refused };
}
