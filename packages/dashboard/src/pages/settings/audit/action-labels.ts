import { type Action, actionSchema } from '@soku/contract/audit';

const labels: Record<Action, string> = {
  'key.created': 'Key created',
  'key.updated': 'Key changed',
  'key.rotated': 'Key rotated',
  'key.secret_retired': 'Secret retired',
  'key.revoked': 'Key revoked',
  'key.imported': 'Keys imported',
  'key.ended_secret_used': 'Revoked secret used',
  'key.leak_reported': 'Leak reported',
  'key.policy_warned': 'Idle key warning',
  'scopes.updated': 'Scopes changed',
  'workspace.updated': 'Workspace changed',
  'workspace.keys_revoked': 'All keys revoked',
  'webhook.created': 'Webhook created',
  'webhook.updated': 'Webhook changed',
  'webhook.deleted': 'Webhook deleted',
  'webhook.secret_rotated': 'Signing secret rotated',
  'webhook.test_sent': 'Test event sent',
  'webhook.redelivered': 'Event sent again',
  'webhook.disabled': 'Webhook disabled by the server',
  'account.created': 'Account created',
  'account.updated': 'Account changed',
  'account.signed_in': 'Signed in',
  'account.sign_in_failed': 'Sign-in failed',
  'account.signed_out': 'Signed out',
  'account.sessions_revoked': 'Sessions ended',
  'account.password_changed': 'Password changed',
  'account.password_change_failed': 'Password change failed',
  'account.password_reset': 'Password reset',
  'account.notifications_updated': 'Email notifications changed',
  'backup.restored': 'Backup restored',
  'database.moved': 'Database moved',
  'audit.pruned': 'Old entries deleted',
};

/** @returns null for an action that only a later version knows */
export function actionLabel(action: string): string | null {
  const known = actionSchema.safeParse(action);
  return known.success ? labels[known.data] : null;
}

const actionsOf = (...nouns: string[]) =>
  actionSchema.options
    .filter((action) => nouns.some((noun) => action.startsWith(`${noun}.`)))
    .map((action) => ({ action, name: labels[action] }));

/** The actions to filter by. Events of the whole deployment, such as a restore, are not in the log of a workspace. */
export const actionGroups = [
  { title: 'Keys', actions: actionsOf('key') },
  { title: 'Workspace', actions: actionsOf('workspace', 'scopes', 'audit') },
  { title: 'Webhooks', actions: actionsOf('webhook') },
  { title: 'Accounts', actions: actionsOf('account') },
];

const kinds = new Map([
  ['person', 'Person'],
  ['key', 'Key'],
  ['operator', 'Operator'],
  ['system', 'Server'],
  ['account', 'Account'],
  ['workspace', 'Workspace'],
  ['webhook', 'Webhook'],
  ['deployment', 'Deployment'],
  ['audit', 'Audit log'],
]);

/** The label for the kind of an actor or target. Kinds of later versions are returned unchanged. */
export function kindLabel(kind: string): string {
  return kinds.get(kind) ?? kind;
}
