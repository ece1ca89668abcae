import { Outlet } from '@tanstack/react-router';
import { Toast } from '../components/Toast.tsx';
import { SignInAgainDialog } from '../session/SignInAgainDialog.tsx';

export function Root() {
  return (
    <>
      <Outlet />
      <Toast />
      <SignInAgainDialog />
    </>
  );
}
