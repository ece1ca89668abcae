import './OfflineBanner.css';
import { WifiOff } from 'lucide-react';
import { useSyncExternalStore } from 'react';

function subscribe(listener: () => void): () => void {
  window.addEventListener('online', listener);
  window.addEventListener('offline', listener);
  return () => {
    window.removeEventListener('online', listener);
    window.removeEventListener('offline', listener);
  };
}

/** The queries wait by themselves and go on when the connection is back; this only says so. */
export function OfflineBanner() {
  const online = useSyncExternalStore(subscribe, () => navigator.onLine);
  return (
    <div role="status">
      {online ? null : (
        <p className="offline">
          <WifiOff size={16} aria-hidden />
          <span>
            You are offline. What you see may be out of date; it is refreshed when the connection is back.
          </span>
        </p>
      )}
    </div>
  );
}
