import './RowToggle.css';
import { ChevronRight } from 'lucide-react';
import type { ComponentPropsWithRef } from 'react';

interface RowToggleProps extends ComponentPropsWithRef<'button'> {
  text: string;
  isOpen: boolean;
  /** The id of the row with the details. */
  controls: string;
}

/** Expands a row of a table: a second row below it shows the details. */
export function RowToggle({ text, isOpen, controls, ...button }: RowToggleProps) {
  return (
    <button type="button" {...button} className="row-toggle" aria-expanded={isOpen} aria-controls={controls}>
      <ChevronRight size={16} aria-hidden />
      <span className="row-toggle__text">{text}</span>
    </button>
  );
}
