import { useNavigate, useRouter } from '@tanstack/react-router';
import type { ApiKeysSearch } from '../../search.ts';

declare module '@tanstack/history' {
  interface HistoryState {
    /** This entry was added by opening a panel, so closing it goes back to the one before. */
    panelOpened?: boolean;
  }
}

type Panel = NonNullable<ApiKeysSearch['panel']>;

/**
 * An open dialog is an entry of the history: Back closes it, and a link can open it. Closing by a button goes back,
 * too, so that the list does not stand in the history twice.
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

  const closePanel = () => {
    if (router.state.location.state.panelOpened) {
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
  };

  return { openPanel, closePanel };
}
