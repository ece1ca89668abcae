/** Notifies the other tabs of this browser when the user signs in or out, or changes keys or limits. */
import { z } from 'zod';

const messageSchema = z.enum(['signed-in', 'signed-out', 'changed']);
export type SessionMessage = z.infer<typeof messageSchema>;

const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('soku.session');

export function tellOtherTabs(message: SessionMessage): void {
  channel?.postMessage(message);
}

export function onOtherTab(listener: (message: SessionMessage) => void): void {
  channel?.addEventListener('message', (event) => {
    const message = messageSchema.safeParse(event.data);
    if (message.success) listener(message.data);
  });
}
