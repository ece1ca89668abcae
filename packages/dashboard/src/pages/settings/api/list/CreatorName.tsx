import { keyIdSchema } from '@soku/contract/keys';
import { useQuery } from '@tanstack/react-query';
import { keyOptions } from '../../../../api/keys.ts';
import { useSession } from '../../../../api/session.ts';

/** @returns "You", the name of the key that created other keys, or the id of an account */
export function useCreatorName(id: string): string {
  const user = useSession()?.user;
  const { data: key } = useQuery({ ...keyOptions(id), enabled: keyIdSchema.safeParse(id).success });
  return id === user?.id ? 'You' : (key?.name ?? id);
}

export function CreatorName({ id }: { id: string }) {
  const name = useCreatorName(id);
  return (
    <span dir="auto" translate={name === 'You' ? undefined : 'no'}>
      {name}
    </span>
  );
}
