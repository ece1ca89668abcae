import type { CreatedKey } from '@soku/contract/keys';
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { updateCachedKey } from '../../../api/change-keys.ts';
import { ApiError, isResponseLost } from '../../../api/client.ts';
import { newIdempotencyKey } from '../../../api/idempotency.ts';
import { withSignIn } from '../../../session/sign-in-again.ts';

export interface KeyCreation<Body> {
  busy: boolean;
  error: unknown;
  /** The key that a call created or rotated whose response was lost. */
  lostKeyId: string | null;
  create: (body: Body) => Promise<void>;
  /** For another call after the response was lost. */
  startOver: () => void;
}

type Send<Body> = (body: Body, idempotencyKey: string) => Promise<CreatedKey>;

/** Milliseconds. */
const retryDelay = 800;

/**
 * Creates exactly one key or secret, however often the button is pressed and even if the response is lost. It does not
 * use a mutation of the query library, which would cache the response and the key in it.
 */
export function useCreateKey<Body>(
  send: Send<Body>,
  onCreated: (created: CreatedKey) => void,
): KeyCreation<Body> {
  const client = useQueryClient();
  const running = useRef(false);
  const idempotencyKey = useRef(newIdempotencyKey());
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [lostKeyId, setLostKeyId] = useState<string | null>(null);

  const create = async (body: Body) => {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setError(null);
    try {
      const created = await withSignIn(() => sendTwice(() => send(body, idempotencyKey.current)));
      onCreated(created);
      updateCachedKey(client, created.key);
    } catch (failure) {
      const lost = lostKeyOf(failure);
      setLostKeyId(lost);
      if (lost === null) setError(failure);
      else void client.invalidateQueries({ queryKey: ['keys'] });
    } finally {
      running.current = false;
      setBusy(false);
    }
  };

  const startOver = () => {
    idempotencyKey.current = newIdempotencyKey();
    setLostKeyId(null);
    setError(null);
  };

  return { busy, error, lostKeyId, create, startOver };
}

/** Repeats the call once if the response is lost. The Idempotency-Key prevents a second key. */
async function sendTwice(send: () => Promise<CreatedKey>): Promise<CreatedKey> {
  try {
    return await send();
  } catch (failure) {
    if (!isResponseLost(failure) || !navigator.onLine) throw failure;
    await new Promise((resolve) => setTimeout(resolve, retryDelay));
    return send();
  }
}

function lostKeyOf(failure: unknown): string | null {
  if (!(failure instanceof ApiError) || failure.code !== 'idempotency_replayed') return null;
  return failure.details.find((detail) => detail.keyId !== undefined)?.keyId ?? null;
}
