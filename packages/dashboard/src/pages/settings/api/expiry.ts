/** How long a new key may live, as the form offers it. Days are 24 hours; a custom time is in the reader's zone. */
export const lifetimes = [
  { value: 'never', name: 'Never' },
  { value: '30', name: '30 days' },
  { value: '90', name: '90 days' },
  { value: '365', name: '1 year' },
  { value: 'custom', name: 'At a date and time…' },
];

const dayLength = 24 * 3600 * 1000;

/** The instant for the API, or what is wrong with the custom time. */
export function expiryOf(choice: string, custom: string, now = Date.now()): string | null {
  if (choice === 'custom') return customExpiry(custom, now);
  const days = Number(choice);
  return Number.isInteger(days) ? new Date(now + days * dayLength).toISOString() : null;
}

function customExpiry(custom: string, now: number): string {
  const at = new Date(custom);
  if (Number.isNaN(at.getTime())) return 'invalid';
  return at.getTime() <= now ? 'past' : at.toISOString();
}

/** A Date in the form that <input type="datetime-local"> wants. */
export function localInput(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`;
}
