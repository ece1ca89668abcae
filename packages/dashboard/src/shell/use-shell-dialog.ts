import { useEffect } from 'react';
import { OnDemand, useOnDemand } from '../components/on-demand.ts';
import { announce } from '../components/Toast.tsx';
import { openShellDialog, type ShellDialogName, useShownDialog } from './open-dialog.ts';

const dialogs = new OnDemand(async () => (await import('./ShellDialog.tsx')).ShellDialog);

export const preloadShellDialog = dialogs.preload;

/** The dialog to show and its code, which is loaded when one is opened. It closes when the shell unmounts. */
export function useShellDialog(): { shown: ShellDialogName | null; Dialog: typeof dialogs.loaded } {
  const shown = useShownDialog();
  useEffect(() => () => openShellDialog(null), []);
  const Dialog = useOnDemand(dialogs, shown !== null, () => {
    openShellDialog(null);
    announce('Part of this page did not load. Check your connection, then reload the page.');
  });
  return { shown, Dialog };
}
