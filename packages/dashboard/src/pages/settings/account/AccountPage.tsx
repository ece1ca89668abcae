import './AccountPage.css';
import { getRouteApi } from '@tanstack/react-router';
import { useSession } from '../../../api/session.ts';
import { Button } from '../../../components/Button.tsx';
import { PageHead } from '../../../components/PageHead.tsx';
import { Section } from '../../../components/Section.tsx';
import { ThemeSwitch } from '../../../components/ThemeSwitch.tsx';
import { usePanel } from '../../../components/use-panel.ts';
import { EmailSettings } from './EmailSettings.tsx';
import { EndSessionsDialog } from './EndSessionsDialog.tsx';
import { NameForm } from './NameForm.tsx';
import { PasswordDialog } from './PasswordDialog.tsx';
import { SessionList } from './SessionList.tsx';
import { ShortcutSettings } from './ShortcutSettings.tsx';

const route = getRouteApi('/shell/signed-in/settings/account');

export function AccountPage() {
  const { panel } = route.useSearch();
  const session = useSession();
  const { openPanel: open, closePanel: close } = usePanel();

  return (
    <>
      <PageHead title="Account">Your profile, notifications, password and sessions.</PageHead>
      <div className="account-page">
        <Section title="Profile">
          {session?.user ? <NameForm key={session.user.name} user={session.user} /> : null}
        </Section>
        <Section title="Appearance">
          <div className="section__row">
            <p>Light or dark. "System" follows your device.</p>
            <ThemeSwitch />
          </div>
        </Section>
        <Section title="Keyboard">
          <ShortcutSettings />
        </Section>
        <Section title="Email notifications" lead="What Soku sends to your address.">
          <EmailSettings />
        </Section>
        <Section title="Password">
          <div className="section__row">
            <p>Changing your password signs you out of all other browsers.</p>
            <Button onClick={() => open('password')}>Change password</Button>
          </div>
        </Section>
        <Section title="Sessions" lead="Browsers that are signed in to your account.">
          <SessionList />
          <div className="section__row section__row--end">
            <Button onClick={() => open('end-others')}>Sign out everywhere else</Button>
            <Button variant="quiet-danger" onClick={() => open('end-all')}>
              Sign out everywhere
            </Button>
          </div>
        </Section>
      </div>
      {panel === 'password' ? <PasswordDialog email={session?.user?.email ?? ''} onClose={close} /> : null}
      {panel === 'end-others' || panel === 'end-all' ? (
        <EndSessionsDialog here={panel === 'end-all'} onClose={close} />
      ) : null}
    </>
  );
}
