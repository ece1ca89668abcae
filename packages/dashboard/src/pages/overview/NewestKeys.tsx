import type { Key } from '@soku/contract/keys';
import { Link } from '@tanstack/react-router';
import { KeyPreview } from '../../components/Bitting.tsx';
import { Section } from '../../components/Section.tsx';
import { Skeleton } from '../../components/Skeleton.tsx';
import { When } from '../../components/When.tsx';

const placeholders = ['a', 'b', 'c'];

export function NewestKeys({ keys }: { keys: Key[] | undefined }) {
  return (
    <Section title="Newest active keys" action={<Link to="/settings/api">All keys</Link>}>
      <ul>
        {keys?.map((key) => (
          <li key={key.id} className="brief">
            <Link to="/settings/api/$keyId" params={{ keyId: key.id }} className="brief__name" translate="no">
              {key.name}
            </Link>
            <KeyPreview preview={key.preview} status={key.status} />
            <span className="brief__when">
              <When at={key.createdAt} />
            </span>
          </li>
        ))}
        {keys
          ? null
          : placeholders.map((line) => (
              <li key={line} className="brief" aria-hidden>
                <Skeleton width="middle" />
              </li>
            ))}
        {keys?.length === 0 ? <li className="brief brief--none">No active keys.</li> : null}
      </ul>
    </Section>
  );
}
