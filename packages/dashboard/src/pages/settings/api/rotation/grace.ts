/** The choices of the rotation form. */
import type { RotateKey } from '@soku/contract/rotation';

export const graceChoices = [
  { value: '0', name: 'Not at all: it stops working now' },
  { value: '3600', name: '1 hour' },
  { value: '86400', name: '24 hours' },
  { value: '604800', name: '7 days' },
  { value: 'custom', name: 'Custom…' },
];

/** In hours: 30 days. */
const longestGrace = 720;

export type GraceInput = { seconds: number; problem?: undefined } | { seconds?: undefined; problem: string };

/** @param hours the text of the field for a custom period */
export function readGrace(choice: string, hours: string): GraceInput {
  if (choice !== 'custom') return { seconds: Number(choice) };
  const digits = hours.trim();
  if (digits === '') return { problem: 'Enter the number of hours.' };
  if (!/^\d+$/.test(digits)) return { problem: 'Use digits only, such as 48.' };
  const count = Number(digits);
  if (count < 1 || count > longestGrace)
    return { problem: `Must be between 1 and ${longestGrace} hours (30 days).` };
  return { seconds: count * 3600 };
}

export type GraceStart = RotateKey['startGrace'];

/** Without a grace period, there is nothing to wait for. */
export function toRotation(graceSeconds: number, startGrace: GraceStart): RotateKey {
  return { graceSeconds, startGrace: graceSeconds === 0 ? 'now' : startGrace };
}
