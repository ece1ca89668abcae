/** The pages and actions that the jump dialog finds besides keys. */
import type { useNavigate } from '@tanstack/react-router';
import {
  Ban,
  CircleHelp,
  CodeXml,
  Gauge,
  Hourglass,
  House,
  Keyboard,
  List,
  ListChecks,
  LogOut,
  type LucideIcon,
  Monitor,
  Moon,
  Plus,
  ScrollText,
  Sun,
  Tags,
  Upload,
  UserRound,
  Webhook,
} from 'lucide-react';
import { announce } from '../../components/Toast.tsx';
import { setTheme } from '../../components/theme.ts';
import { openShellDialog } from '../open-dialog.ts';

/** What a command may use. */
export interface Shell {
  go: ReturnType<typeof useNavigate>;
  signOut: () => Promise<void>;
}

export interface Command {
  id: string;
  name: string;
  /** The part of the dashboard that it belongs to. */
  area: string;
  /** Other words that people may search for. */
  words?: string;
  icon: LucideIcon;
  /** Shown before anything is typed. */
  isCommon?: true;
  shortcut?: string;
  run: (shell: Shell) => unknown;
}

const keyCommands: Command[] = [
  {
    id: 'generate',
    name: 'Generate New Key',
    area: 'Action',
    words: 'create add api',
    icon: Plus,
    isCommon: true,
    shortcut: 'N',
    run: ({ go }) => go({ to: '/settings/api', search: { panel: 'generate' } }),
  },
];

const pageCommands: Command[] = [
  {
    id: 'overview',
    name: 'Overview',
    area: 'Page',
    words: 'home dashboard',
    icon: House,
    isCommon: true,
    run: ({ go }) => go({ to: '/' }),
  },
  {
    id: 'keys',
    name: 'API keys',
    area: 'Settings',
    words: 'list all',
    icon: List,
    isCommon: true,
    run: ({ go }) => go({ to: '/settings/api' }),
  },
  {
    id: 'expired',
    name: 'Expired keys',
    area: 'Settings',
    icon: List,
    run: ({ go }) => go({ to: '/settings/api', search: { status: 'expired' } }),
  },
  {
    id: 'revoked',
    name: 'Revoked keys',
    area: 'Settings',
    icon: List,
    run: ({ go }) => go({ to: '/settings/api', search: { status: 'revoked' } }),
  },
  {
    id: 'disabled',
    name: 'Disabled keys',
    area: 'Settings',
    icon: List,
    run: ({ go }) => go({ to: '/settings/api', search: { status: 'disabled' } }),
  },
  {
    id: 'scopes',
    name: 'Scopes',
    area: 'Settings',
    words: 'permissions catalog access',
    icon: Tags,
    run: ({ go }) => go({ to: '/settings/api/scopes' }),
  },
  {
    id: 'hygiene',
    name: 'Hygiene',
    area: 'Settings',
    words: 'unused idle old unrestricted never expires policies attention',
    icon: ListChecks,
    run: ({ go }) => go({ to: '/settings/api/hygiene' }),
  },
  {
    id: 'import',
    name: 'Import keys',
    area: 'Settings',
    words: 'csv json migrate move upload hash',
    icon: Upload,
    run: ({ go }) => go({ to: '/settings/api/import' }),
  },
  {
    id: 'policies',
    name: 'Policies',
    area: 'Settings',
    words: 'workspace maximum lifetime expiry expiration idle unused disable age leak',
    icon: Hourglass,
    run: ({ go }) => go({ to: '/settings/api', search: { panel: 'policies' } }),
  },
  {
    id: 'revoke-all',
    name: 'Revoke all keys',
    area: 'Action',
    words: 'emergency panic incident leak',
    icon: Ban,
    run: ({ go }) => go({ to: '/settings/api', search: { panel: 'revoke-all' } }),
  },
  {
    id: 'limit',
    name: 'Default rate limit',
    area: 'Settings',
    words: 'workspace requests quota',
    icon: Gauge,
    run: ({ go }) => go({ to: '/settings/api', search: { panel: 'limit' } }),
  },
  {
    id: 'account',
    name: 'Account',
    area: 'Settings',
    words: 'profile name email notifications sessions',
    icon: UserRound,
    isCommon: true,
    run: ({ go }) => go({ to: '/settings/account' }),
  },
  {
    id: 'password',
    name: 'Change password',
    area: 'Settings',
    icon: UserRound,
    run: ({ go }) => go({ to: '/settings/account', search: { panel: 'password' } }),
  },
  {
    id: 'webhooks',
    name: 'Webhooks',
    area: 'Settings',
    words: 'events endpoints deliveries signing secret notifications',
    icon: Webhook,
    run: ({ go }) => go({ to: '/settings/webhooks' }),
  },
  {
    id: 'audit',
    name: 'Audit log',
    area: 'Settings',
    words: 'history events activity',
    icon: ScrollText,
    isCommon: true,
    run: ({ go }) => go({ to: '/settings/audit' }),
  },
];

type HelpPath =
  | '/help/api-key-management'
  | '/help/rotate-a-key'
  | '/help/authentication'
  | '/help/protect-an-api'
  | '/help/api-troubleshooting';

const help = (id: string, name: string, to: HelpPath, hash?: string, words?: string): Command => ({
  id,
  name,
  area: 'Help',
  ...(words && { words }),
  icon: CircleHelp,
  run: ({ go }) => go({ to, ...(hash && { hash }) }),
});

const helpCommands: Command[] = [
  { ...help('help-keys', 'Managing keys', '/help/api-key-management', undefined, 'api key'), isCommon: true },
  help('help-practice', 'Best practices', '/help/api-key-management', 'practice'),
  help('help-rotate', 'Rotate a key', '/help/rotate-a-key', undefined, 'replace secret lost downtime grace'),
  help('help-leak', 'When a key has leaked', '/help/api-key-management', 'leak', 'stolen exposed github'),
  help('help-limits', 'Rate limits', '/help/authentication', 'limits', '429 requests quota'),
  help('help-storage', 'Keep a key secret', '/help/api-key-management', 'keep', 'store environment'),
  help('help-auth', 'Authentication', '/help/authentication', undefined, 'bearer header curl use'),
  help('help-scopes', 'Scopes', '/help/authentication', 'scopes', 'permissions'),
  help(
    'help-protect',
    'Protect an API',
    '/help/protect-an-api',
    undefined,
    'gateway proxy nginx haproxy caddy envoy back end verify forward-auth',
  ),
  help(
    'help-errors',
    'Troubleshooting',
    '/help/api-troubleshooting',
    undefined,
    '401 403 rejected errors codes',
  ),
  help('help-check', 'Check your key', '/help/api-troubleshooting', 'check', 'test valid'),
  {
    id: 'docs',
    name: 'API reference',
    area: 'Page',
    words: 'docs documentation openapi endpoints',
    icon: CodeXml,
    isCommon: true,
    run: ({ go }) => go({ to: '/docs' }),
  },
];

const theme = (id: 'system' | 'light' | 'dark', name: string, icon: LucideIcon): Command => ({
  id: `theme-${id}`,
  name,
  area: 'Action',
  words: 'color scheme appearance mode',
  icon,
  run: () => {
    setTheme(id);
    announce(`${name} is on.`);
  },
});

const otherCommands: Command[] = [
  theme('light', 'Light theme', Sun),
  theme('dark', 'Dark theme', Moon),
  theme('system', 'System theme', Monitor),
  {
    id: 'shortcuts',
    name: 'Keyboard shortcuts',
    area: 'Action',
    icon: Keyboard,
    shortcut: '?',
    run: () => openShellDialog('shortcuts'),
  },
  {
    id: 'sign-out',
    name: 'Sign out',
    area: 'Action',
    words: 'log out logout exit',
    icon: LogOut,
    run: ({ signOut }) => signOut(),
  },
];

const commands = [...keyCommands, ...pageCommands, ...helpCommands, ...otherCommands];

/** Ignores case and accents, like the search for keys. */
function fold(text: string): string {
  return text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();
}

/**
 * The commands that contain a word that starts with each word of the text, those whose names start with the text first.
 * For an empty text, the common ones.
 */
export function findCommands(text: string): Command[] {
  const wanted = fold(text).split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return commands.filter(({ isCommon }) => isCommon);
  const found = commands.filter(({ name, area, words = '' }) => {
    const known = fold(`${name} ${area} ${words}`).split(' ');
    return wanted.every((word) => known.some((one) => one.startsWith(word)));
  });
  const isNamed = ({ name }: Command) => fold(name).startsWith(wanted.join(' '));
  return [...found.filter(isNamed), ...found.filter((command) => !isNamed(command))];
}
