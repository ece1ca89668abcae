import { useNavigate, useRouter } from '@tanstack/react-router';
import { useCallback } from 'react';

declare module '@tanstack/history' {
  interface HistoryState {
    /** Opening a panel added this history entry, so closing the panel goes back to the previous one. */
    panelOpened?: boolean;
  }
}

export type Panel =
  | 'generate'
  | 'rename'
  | 'rotate'
  | 'disable'
  | 'revoke'
  | 'retire'
  | 'limit'
  | 'scopes'
  | 'addresses'
  | 'expiry'
  | 'external-id'
  | 'metadata'
  | 'revoke-selected'
  | 'revoke-all'
  | 'policies'
  | 'add'
  | 'edit'
  | 'remove'
  | 'password'
  | 'end-others'
  | 'end-all';

/**
 * An open dialog is a history entry: Back closes it, and a link can open it. Closing it with a button also goes back,
 * so that the page behind it is not in the history twice.
 */
export function usePanel() {
  const navigate = useNavigate();
  const router = useRouter();

  /** Replaces the open panel, so that Back and closing it lead to the page behind both. */
  const switchPanel = (panel: Panel) =>
    navigate({
      to: '.',
      search: (search) => ({ ...search, panel }),
      state: ({ panelOpened }) => (panelOpened ? { panelOpened } : {}),
      replace: true,
      resetScroll: false,
    });

  const openPanel = (panel: Panel, key?: string) => {
    // Another property of the key is being edited.
    if (key === undefined && isPanelInAddress()) return switchPanel(panel);
    return navigate({
      to: '.',
      search: (search) => ({ ...search, panel, ...(key ? { key } : {}) }),
      state: { panelOpened: true },
      resetScroll: false,
    });
  };

  const closePanel = useCallback(() => {
    // After Back is pressed twice quickly, the address is already that of another page while the panel is still open.
    // There is nothing to go back to then.
    if (router.state.location.state.panelOpened && isPanelInAddress()) {
      router.history.back({ ignoreBlocker: true });
      return;
    }
    void navigate({
      to: '.',
      search: ({ panel: _panel, key: _key, secret: _secret, ...search }) => search,
      replace: true,
      ignoreBlocker: true,
      resetScroll: false,
    });
  }, [navigate, router]);

  return { openPanel, switchPanel, closePanel };
}

export function isPanelInAddress(): boolean {
  return new URLSearchParams(window.location.search).has('panel');
}
