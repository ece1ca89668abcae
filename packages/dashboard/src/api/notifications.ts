import { type Notifications, notificationsSchema } from '@soku/contract/notifications';
import { queryOptions } from '@tanstack/react-query';
import { callApi } from './client.ts';

export const notificationsOptions = queryOptions({
  queryKey: ['notifications'],
  queryFn: ({ signal }) => callApi('/api/notifications', { schema: notificationsSchema, signal }),
});

export function changeNotifications(body: Notifications): Promise<Notifications> {
  return callApi('/api/notifications', { method: 'PUT', body, schema: notificationsSchema });
}
