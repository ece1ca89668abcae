import { Button } from '../../../components/Button.tsx';
import { setSingleKeyShortcuts, useHasSingleKeyShortcuts } from '../../../components/shortcuts.ts';
import { openShellDialog } from '../../../shell/open-dialog.ts';

/** For people whose speech input, or whose hand, triggers single keys by accident. */
export function ShortcutSettings() {
  const on = useHasSingleKeyShortcuts();
  return (
    <div className="section__row">
      <label className="check">
        <input
          type="checkbox"
          checked={on}
          onChange={(event) => setSingleKeyShortcuts(event.target.checked)}
        />
        <span>Single-key shortcuts</span>
        <span className="check__more">N, / and ? work while you are not typing. Saved in this browser.</span>
      </label>
      <Button onClick={() => openShellDialog('shortcuts')}>Show shortcuts</Button>
    </div>
  );
}
