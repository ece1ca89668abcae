import type { WebhookWithSecret } from '@soku/contract/webhooks';
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { updateCachedWebhook } from '../../../api/change-webhooks.ts';
import { isResponseLost } from '../../../api/client.ts';
import { webhooksOptions } from '../../../api/webhooks.ts';
import { withSignIn } from '../../../session/sign-in-again.ts';

export interface NewSigningSecret {
  /** dropped: the dialog is about to close, and nothing is rendered. */
  stage: 'form' | 'busy' | 'shown' | 'copied' | 'dropped';
  /** The webhook and its new signing secret, from the response until it is dropped. */
  read: () => WebhookWithSecret | null;
  create: (call: () => Promise<WebhookWithSecret>) => Promise<void>;
  markCopied: () => void;
  /** @param next what to render instead: nothing, or the form */
  drop: (next: 'dropped' | 'form') => void;
}

/**
 * The signing secret that was just created. It is in a ref, which is cleared in place, and not in the state, because React
 * retains previous states for a while.
 *
 * @param lost what to do if the response does not arrive, although the server may have created a secret
 */
export function useSigningSecret(lost: string): NewSigningSecret {
  const client = useQueryClient();
  const held = useRef<WebhookWithSecret | null>(null);
  const [stage, setStage] = useState<NewSigningSecret['stage']>('form');
  return {
    stage,
    read: () => held.current,
    create: async (call) => {
      setStage('busy');
      try {
        const created = await withSignIn(call);
        held.current = created;
        setStage('shown');
        updateCachedWebhook(client, created.webhook);
      } catch (error) {
        setStage('form');
        if (!isResponseLost(error) || !navigator.onLine) throw error;
        void client.invalidateQueries({ queryKey: webhooksOptions.queryKey });
        throw new Error(lost);
      }
    },
    markCopied: () => setStage('copied'),
    drop: (next) => {
      held.current = null;
      setStage(next);
    },
  };
}
