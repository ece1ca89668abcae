import { withBasePath } from '../../../base-path.ts';

/**
 * Whether the page of a webhook is open. A response can arrive after the user has left the page, and must not move the
 * user then. The address is read because a page stays rendered while the next one loads.
 */
export function isWebhookOpen(id: string): boolean {
  return window.location.pathname === withBasePath(`/settings/webhooks/${id}`);
}
