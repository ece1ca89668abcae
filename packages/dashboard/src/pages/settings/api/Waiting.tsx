import './Waiting.css';
import { useEffect, useState } from 'react';

/** In ms. A change usually takes a few ms, and waits up to 2.2 s for a server that is frozen or cut off. */
const waitingAfter = 400;
const delayedAfter = 3000;

interface WaitingProps {
  /** Whether the call is running. */
  busy: boolean;
  /** Shown if it takes unusually long. */
  delayed: string;
}

/** Explains a delay. The live region exists before its text, because screen readers would not announce it otherwise. */
export function Waiting({ busy, delayed }: WaitingProps) {
  const [message, setMessage] = useState<string | null>(null);
  useEffect(() => {
    if (!busy) return;
    const timers = [
      setTimeout(() => setMessage('Waiting for every server to confirm…'), waitingAfter),
      setTimeout(() => setMessage(delayed), delayedAfter),
    ];
    return () => {
      for (const timer of timers) clearTimeout(timer);
      setMessage(null);
    };
  }, [busy, delayed]);
  return (
    <p className="waiting" role="status">
      {message}
    </p>
  );
}
