import { usePublicUrl } from '../../../api/session.ts';
import { Button } from '../../../components/Button.tsx';
import { CodeTabs } from '../../../components/Code.tsx';
import { DialogActions } from '../../../components/Dialog.tsx';
import { callSnippets, environmentLine } from '../../../components/snippets.ts';
import { KeyField } from './KeyField.tsx';
import { TestResponse, useTestKey } from './TestKey.tsx';

interface NewKeyViewProps {
  apiKey: string;
  /** What it is called: that of a key that was rotated is its new secret. */
  what: 'key' | 'secret';
  preview: string;
  name: string;
  copied: boolean;
  onCopied: () => void;
  onDone: () => void;
}

export function NewKeyView({ onDone, ...field }: NewKeyViewProps) {
  const { apiKey, preview, copied, onCopied } = field;
  const origin = usePublicUrl();
  const test = useTestKey();
  return (
    <div className="form">
      <KeyField {...field} />
      <section aria-label="Use the key">
        <CodeTabs
          label="Use the key"
          snippets={[environmentLine(preview, () => apiKey), ...callSnippets(origin)]}
          onCopied={(snippet) => {
            if (snippet.copied) onCopied();
          }}
        />
      </section>
      <TestResponse result={test.result} />
      <DialogActions row>
        <Button className="dialog__aside" busy={test.busy} onClick={() => test.run(apiKey)}>
          Test key
        </Button>
        <Button variant={copied ? 'primary' : 'secondary'} onClick={onDone}>
          Done
        </Button>
      </DialogActions>
    </div>
  );
}
