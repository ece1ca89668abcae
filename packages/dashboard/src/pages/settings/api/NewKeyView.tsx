import { useSession } from '../../../api/session.ts';
import { Button } from '../../../components/Button.tsx';
import { CodeTabs } from '../../../components/Code.tsx';
import { DialogActions } from '../../../components/Dialog.tsx';
import { Notice } from '../../../components/Notice.tsx';
import { callSnippets, environmentLine } from '../../../components/snippets.ts';
import { KeyField } from './KeyField.tsx';
import { TestKey } from './TestKey.tsx';

interface NewKeyViewProps {
  apiKey: string;
  preview: string;
  name: string;
  copied: boolean;
  onCopied: () => void;
  onDone: () => void;
}

export function NewKeyView({ apiKey, preview, name, copied, onCopied, onDone }: NewKeyViewProps) {
  const origin = useSession()?.publicUrl ?? window.location.origin;
  return (
    <div className="form">
      <Notice tone="warn">
        <p>
          <strong>This key will not be shown again.</strong> Soku stores only its fingerprint.
        </p>
      </Notice>
      <KeyField apiKey={apiKey} name={name} copied={copied} onCopied={onCopied} />
      <section aria-label="Use the key">
        <CodeTabs
          label="Use the key"
          snippets={[environmentLine(preview, () => apiKey), ...callSnippets(origin)]}
          onCopied={(snippet) => {
            if (snippet.copied) onCopied();
          }}
        />
      </section>
      <TestKey apiKey={apiKey} />
      <DialogActions>
        <Button variant={copied ? 'primary' : 'secondary'} onClick={onDone}>
          Done
        </Button>
      </DialogActions>
    </div>
  );
}
