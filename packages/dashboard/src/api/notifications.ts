import {
  type NotificationSettings,
  type Notifications,
  notificationSettingsSchema,
} from '@soku/contract/notifications';
import { queryOptions } from '@tanstack/react-query';
import { callApi } from './client.ts';

export const notificationsOptions = queryOptions({
  queryKey: ['notifications'],
  queryFn: ({ signal }) => callApi('/api/notifications', { schema: notificationSettingsSchema, signal }),
});

export function changeNotifications(body: Notifications): Promise<NotificationSettings> {
  return callApi('/api/notifications', { method: 'PUT', body, schema: notificationSettingsSchema });
}
