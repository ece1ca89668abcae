import { Outlet } from '@tanstack/react-router';
import { Toast } from '../components/Toast.tsx';
import { SignInAgain } from '../session/SignInAgain.tsx';

export function Root() {
  return (
    <>
      <Outlet />
      <Toast />
      <SignInAgain />
    </>
  );
}
