import type { WorkspaceUsage } from '@soku/contract/usage';
import { Link } from '@tanstack/react-router';
import { CircleCheck, Clock, Megaphone, Moon, RefreshCw, TriangleAlert } from 'lucide-react';
import type { AttentionLists } from '../../api/overview.ts';
import { buttonClass } from '../../components/Button.tsx';
import { Failure } from '../../components/Notice.tsx';
import { Section } from '../../components/Section.tsx';
import { Skeleton } from '../../components/Skeleton.tsx';
import { useRenderEveryMinute } from '../../dates/use-render-every-minute.ts';
import { type AttentionItem, attentionItems } from './attention.ts';

const icons = {
  leaked: Megaphone,
  rejected: TriangleAlert,
  unfinished: RefreshCw,
  expiring: Clock,
  unused: Moon,
};

interface NeedsAttentionProps {
  /** Undefined while it is loading, or if it could not be loaded. */
  usage: WorkspaceUsage | undefined;
  lists: AttentionLists | undefined;
  /** Why there are no lists. */
  error: unknown;
  /** Whether either is loading. The most urgent items come first, so nothing is shown before they are known. */
  isPending: boolean;
}

export function NeedsAttention({ usage, lists, error, isPending }: NeedsAttentionProps) {
  useRenderEveryMinute();
  const items = isPending ? [] : attentionItems(usage, lists);
  return (
    <Section
      title="Needs attention"
      action={items.length > 0 ? <p className="overview__period">{items.length}</p> : null}
    >
      <ul className="attention">
        {items.map((item) => (
          <Item key={item.id} item={item} />
        ))}
      </ul>
      {isPending ? <Pending /> : null}
      {!isPending && lists && items.length === 0 ? <Nothing isCertain={usage !== undefined} /> : null}
      {lists ? null : <Failure error={error} />}
      {isPending ? null : (
        <p className="attention__more">
          <Link to="/settings/api/hygiene">All checks of your keys</Link>
        </p>
      )}
    </Section>
  );
}

function Item({ item: { kind, name, title, text, action, link } }: { item: AttentionItem }) {
  const Icon = icons[kind];
  return (
    <li className={`attention__item attention__item--${kind}`}>
      <Icon size={16} aria-hidden />
      <h3 className="attention__title">
        {name ? (
          <bdi className="attention__name" translate="no">
            {name}
          </bdi>
        ) : null}
        <span>{name ? ` ${title}` : title}</span>
      </h3>
      <p className="attention__text">{text}</p>
      <Link {...link} className={buttonClass('secondary', 'attention__action')}>
        <span>{action}</span>
        <span className="visually-hidden">{` ${name ?? title}`}</span>
      </Link>
    </li>
  );
}

/** Without the usage, it is unknown which keys are rejected. */
function Nothing({ isCertain }: { isCertain: boolean }) {
  const text = 'No key expires within 7 days, and none is listed as idle for 90 days.';
  return (
    <p className="attention__none">
      <CircleCheck size={16} aria-hidden />
      <span>{isCertain ? `Nothing. ${text}` : text}</span>
    </p>
  );
}

const placeholders = ['a', 'b'];

function Pending() {
  return (
    <ul className="attention" aria-hidden>
      {placeholders.map((line) => (
        <li key={line} className="attention__item">
          <span />
          <Skeleton width="middle" />
          <p className="attention__text">
            <Skeleton width="long" />
          </p>
        </li>
      ))}
    </ul>
  );
}
