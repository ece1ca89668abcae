import type { Secret } from '@soku/contract/secrets';
import { useNavigate } from '@tanstack/react-router';
import { Button } from '../../../../components/Button.tsx';

/** Opens the dialog that retires an old secret. */
export function RetireButton({ secret: { id, preview } }: { secret: Secret }) {
  const navigate = useNavigate({ from: '/settings/api/$keyId' });
  const open = () =>
    navigate({
      search: (search) => ({ ...search, panel: 'retire', secret: id }),
      state: { panelOpened: true },
      resetScroll: false,
    });
  return (
    <Button onClick={open}>
      <span>Retire now</span>
      <span className="visually-hidden">{` secret ${preview}`}</span>
    </Button>
  );
}
