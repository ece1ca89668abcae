import './Badge.css';
import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';

interface BadgeProps {
  icon?: LucideIcon;
  tone?: 'plain' | 'brass' | 'warn' | 'bad';
  children: ReactNode;
}

export function Badge({ icon: Icon, tone = 'plain', children }: BadgeProps) {
  return (
    <span className={`badge badge--${tone}`}>
      {Icon ? <Icon size={12} aria-hidden /> : null}
      <span>{children}</span>
    </span>
  );
}
