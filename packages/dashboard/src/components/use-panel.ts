import { useNavigate, useRouter } from '@tanstack/react-router';
import { useCallback } from 'react';

declare module '@tanstack/history' {
  interface HistoryState {
    /** This entry was added by opening a panel, so closing it goes back to the one before. */
    panelOpened?: boolean;
  }
}

export type Panel = 'generate' | 'rename' | 'revoke' | 'limit' | 'password' | 'end-others' | 'end-all';

/**
 * An open dialog is an entry of the history: Back closes it, and a link can open it. Closing by a button goes back,
 * too, so that the page behind does not stand in the history twice.
 */
export function usePanel() {
  const navigate = useNavigate();
  const router = useRouter();

  const openPanel = (panel: Panel, key?: string) =>
    navigate({
      to: '.',
      search: (search) => ({ ...search, panel, ...(key ? { key } : {}) }),
      state: { panelOpened: true },
      resetScroll: false,
    });

  const closePanel = useCallback(() => {
    // Two quick Backs leave the address behind this page while the panel stays: then there is nothing to go back to.
    const inAddress = new URLSearchParams(window.location.search).has('panel');
    if (router.state.location.state.panelOpened && inAddress) {
      router.history.back({ ignoreBlocker: true });
      return;
    }
    void navigate({
      to: '.',
      search: ({ panel: _panel, key: _key, ...search }) => search,
      replace: true,
      ignoreBlocker: true,
      resetScroll: false,
    });
  }, [navigate, router]);

  return { openPanel, closePanel };
}
