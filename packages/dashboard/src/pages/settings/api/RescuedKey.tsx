import { useDropOnPageHide } from '../../../components/use-drop-on-page-hide.ts';
import { dropNewKey, useNewKey } from './new-key.ts';

/** Shows the new key if the dialog that shows it, or the whole page, has failed. It is rendered outside both. */
export function RescuedKey() {
  const { created, inDialog, RescueDialog } = useNewKey();
  useDropOnPageHide(dropNewKey);
  return created && RescueDialog && !inDialog ? <RescueDialog /> : null;
}
