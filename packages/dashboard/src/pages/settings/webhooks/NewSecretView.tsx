import type { WebhookWithSecret } from '@soku/contract/webhooks';
import { Button } from '../../../components/Button.tsx';
import { CodeTabs } from '../../../components/Code.tsx';
import { DialogActions } from '../../../components/Dialog.tsx';
import { SecretField } from '../api/SecretField.tsx';
import { nameOf } from './names.ts';
import { receiverSnippets } from './snippets.ts';

interface NewSecretViewProps {
  created: WebhookWithSecret;
  copied: boolean;
  onCopied: () => void;
  onDone: () => void;
}

const prefixLength = 'whsec_'.length;

export function NewSecretView({ created, copied, onCopied, onDone }: NewSecretViewProps) {
  const { secret, webhook } = created;
  return (
    <div className="form">
      <SecretField
        secret={secret}
        label="Signing secret"
        id="new-signing-secret"
        what="secret"
        store="where the receiver reads it"
        drawn={
          <code className="secret__drawn" translate="no" aria-hidden>
            <i>{secret.slice(0, prefixLength)}</i>
            <span>{secret.slice(prefixLength)}</span>
          </code>
        }
        about={
          <strong translate="no">
            <bdi>{nameOf(webhook)}</bdi>
          </strong>
        }
        copied={copied}
        onCopied={onCopied}
      />
      <section aria-label="Verify requests">
        <CodeTabs
          label="Verify requests"
          snippets={receiverSnippets(() => secret)}
          onCopied={(snippet) => {
            if (snippet.copied) onCopied();
          }}
        />
      </section>
      <DialogActions row>
        <Button variant={copied ? 'primary' : 'secondary'} onClick={onDone}>
          Done
        </Button>
      </DialogActions>
    </div>
  );
}
