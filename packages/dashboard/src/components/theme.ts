/** The chosen theme. public/theme.js reads the same storage key before the first paint. */
import { useSyncExternalStore } from 'react';
import { z } from 'zod';
import { Listeners } from './listeners.ts';
import { writeStored } from './stored.ts';

const themeSchema = z.enum(['system', 'light', 'dark']);
export type Theme = z.infer<typeof themeSchema>;

const listeners = new Listeners();

function readTheme(): Theme {
  return themeSchema.catch('system').parse(document.documentElement.dataset.theme ?? 'system');
}

export function setTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  writeStored('soku.theme', theme === 'system' ? null : theme);
  listeners.notify();
}

export function useTheme(): Theme {
  return useSyncExternalStore(listeners.subscribe, readTheme);
}
