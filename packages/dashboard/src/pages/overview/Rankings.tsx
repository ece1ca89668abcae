import './Rankings.css';
import type { RankedKey, WorkspaceUsage } from '@soku/contract/usage';
import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { formatNumber } from '../../components/format-number.ts';
import { KeyTeeth } from '../../components/KeyTeeth.tsx';
import { Section } from '../../components/Section.tsx';
import { reasonsOf } from './reasons.ts';

const shown = 5;

/** The keys with the most accepted and the most rejected requests, side by side. */
export function Rankings({ usage: { busiest, mostRefused } }: { usage: WorkspaceUsage }) {
  const most = busiest[0]?.accepted ?? 1;
  return (
    <div className="overview__halves">
      <Section title="Busiest keys" action={<Period />}>
        <Ranking
          keys={busiest}
          Figures={Accepted}
          most={most}
          none="No accepted requests in the last 24 hours."
        />
      </Section>
      <Section title="Most rejected" action={<Period />}>
        <Ranking
          keys={mostRefused}
          Figures={Rejected}
          most={most}
          none="No rejected requests in the last 24 hours."
        />
      </Section>
    </div>
  );
}

interface FiguresProps {
  ranked: RankedKey;
  /** The accepted requests of the busiest key. */
  most: number;
}

function Accepted({ ranked: { accepted }, most }: FiguresProps) {
  return (
    <>
      <svg className="ranked__share" width="84" height="8" aria-hidden="true">
        <rect className="ranked__rest" width="84" height="8" />
        <rect className="ranked__part" width={(84 * accepted) / most} height="8" />
      </svg>
      <span className="ranked__count">{formatNumber(accepted)}</span>
    </>
  );
}

function Rejected({ ranked: { refused, refusedBy } }: FiguresProps) {
  return (
    <>
      <span className="ranked__reason">{reasonsOf(refusedBy)[0]?.name}</span>
      <span className="ranked__count ranked__count--rejected">{formatNumber(refused)}</span>
    </>
  );
}

function Period() {
  return <p className="overview__period">last 24 hours</p>;
}

interface RankingProps {
  keys: RankedKey[];
  Figures: (props: FiguresProps) => ReactElement;
  most: number;
  none: string;
}

function Ranking({ keys, Figures, most, none }: RankingProps) {
  return (
    <ol className="ranking">
      {keys.slice(0, shown).map((ranked) => (
        <li key={ranked.key.id} className="ranked">
          <KeyTeeth preview={ranked.key.preview} status={ranked.key.status} />
          <Link
            to="/settings/api/$keyId"
            params={{ keyId: ranked.key.id }}
            className="ranked__name"
            title={ranked.key.name}
            translate="no"
            dir="auto"
          >
            {ranked.key.name}
          </Link>
          <Figures ranked={ranked} most={most} />
        </li>
      ))}
      {keys.length === 0 ? <li className="ranked ranked--none">{none}</li> : null}
    </ol>
  );
}
