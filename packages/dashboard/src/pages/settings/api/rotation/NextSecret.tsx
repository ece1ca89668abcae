import type { Key } from '@soku/contract/keys';
import { Link } from '@tanstack/react-router';
import { RefreshCw } from 'lucide-react';
import { Button } from '../../../../components/Button.tsx';
import type { Elements } from '../../../../components/elements.ts';
import { KeyBlank } from '../../../../components/KeyTeeth.tsx';
import { usePanel } from '../../../../components/use-panel.ts';

/** Explains rotation where the next secret would be. */
export function NextSecret({ apiKey: { status } }: { apiKey: Key }) {
  const { openPanel } = usePanel();
  if (status === 'revoked') return <Blank text="This key is revoked, so it cannot get another secret." />;
  if (status === 'expired') {
    return (
      <Blank text="This key has expired. Give it a later expiration date before you rotate it.">
        <Link from="/settings/api/$keyId" to="." search={{ panel: 'expiry', tab: 'access' }}>
          Change the expiration date
        </Link>
      </Blank>
    );
  }
  return (
    <Blank text="Rotate the key to replace its secret: regularly, if it was lost, or if someone may have seen it. The key keeps its name, scopes, limits and history, and the old secret works until your programs have the new one.">
      <Button variant="primary" icon={RefreshCw} onClick={() => openPanel('rotate')}>
        Rotate key
      </Button>
    </Blank>
  );
}

function Blank({ text, children }: { text: string; children?: Elements }) {
  return (
    <div className="next-secret">
      <KeyBlank />
      <p>{text}</p>
      {children}
    </div>
  );
}
