import './Skeleton.css';

type Width = 'short' | 'middle' | 'long' | 'full';

/** A placeholder for a line of text, as high as that line. */
export function Skeleton({ width = 'middle' }: { width?: Width }) {
  return <span className={`skeleton skeleton--${width}`} aria-hidden />;
}
