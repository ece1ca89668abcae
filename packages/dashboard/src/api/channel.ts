/** Notifies the other tabs of this browser when the user signs in or out, or changes keys or limits. */
import { z } from 'zod';
import { basePath } from '../base-path.ts';

const messageSchema = z.enum(['signed-in', 'signed-out', 'changed']);
export type TabMessage = z.infer<typeof messageSchema>;

const channel =
  typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(`soku.session${basePath}`);

export function notifyOtherTabs(message: TabMessage): void {
  channel?.postMessage(message);
}

export function onTabMessage(listener: (message: TabMessage) => void): void {
  channel?.addEventListener('message', (event) => {
    const message = messageSchema.safeParse(event.data);
    if (message.success) listener(message.data);
  });
}
