import { useState } from 'react';
import { useSession } from '../api/session.ts';
import { OnDemand, useOnDemand } from '../components/on-demand.ts';
import { finishSignIn, useSignInReason } from './sign-in-again.ts';

const dialog = new OnDemand(async () => (await import('./SignInAgainDialog.tsx')).SignInAgainDialog);

/**
 * Asks for the password on top of the open page or dialog, which keeps its state. If the code of the dialog does not
 * load, the call that was rejected shows its error instead.
 */
export function SignInAgain() {
  const reason = useSignInReason();
  const email = useLastEmail();
  const Dialog = useOnDemand(dialog, reason !== null, () => finishSignIn(false));
  return reason && Dialog ? <Dialog reason={reason} email={email} /> : null;
}

/** Keeps the last email address, because the session query may already report that no one is signed in. */
function useLastEmail(): string {
  const email = useSession()?.user?.email;
  const [last, setLast] = useState(email);
  if (email !== undefined && email !== last) setLast(email);
  return email ?? last ?? '';
}
