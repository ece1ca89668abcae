import type { CreatedKey, CreateKey } from '@soku/contract/keys';
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { ApiError, isResponseLost } from '../../../api/client.ts';
import { newIdempotencyKey } from '../../../api/idempotency.ts';
import { createKey, updateCachedKey } from '../../../api/keys.ts';
import { withSignIn } from '../../../session/sign-in-again.ts';

export interface KeyCreation {
  busy: boolean;
  error: unknown;
  /** The key that a call created whose response was lost. */
  lostKeyId: string | null;
  create: (body: CreateKey) => Promise<void>;
  startOver: () => void;
}

/** Milliseconds. */
const retryDelay = 800;

/**
 * Creates exactly one key, however often the button is pressed and even if the response is lost. It does not use a
 * mutation of the query library, which would cache the response and the key in it.
 */
export function useCreateKey(onCreated: (created: CreatedKey) => void): KeyCreation {
  const client = useQueryClient();
  const running = useRef(false);
  const idempotencyKey = useRef(newIdempotencyKey());
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [lostKeyId, setLostKeyId] = useState<string | null>(null);

  const create = async (body: CreateKey) => {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setError(null);
    try {
      const created = await withSignIn(() => createOnce(body, idempotencyKey.current));
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
async function createOnce(body: CreateKey, idempotencyKey: string): Promise<CreatedKey> {
  try {
    return await createKey(body, idempotencyKey);
  } catch (failure) {
    if (!isResponseLost(failure) || !navigator.onLine) throw failure;
    await new Promise((resolve) => setTimeout(resolve, retryDelay));
    return createKey(body, idempotencyKey);
  }
}

function lostKeyOf(failure: unknown): string | null {
  if (!(failure instanceof ApiError) || failure.code !== 'idempotency_replayed') return null;
  return failure.details.find((detail) => detail.keyId !== undefined)?.keyId ?? null;
}
