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

/** Says that the browser is offline. The queries pause and resume on their own. */
export function OfflineBanner() {
  const online = useSyncExternalStore(subscribe, () => navigator.onLine);
  return (
    <div role="status">
      {online ? null : (
        <p className="offline">
          <WifiOff size={16} aria-hidden />
          <span>You are offline. This page may be out of date; it refreshes when you are back online.</span>
        </p>
      )}
    </div>
  );
}
