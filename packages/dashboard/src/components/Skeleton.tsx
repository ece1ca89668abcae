import './Skeleton.css';

type Width = 'short' | 'middle' | 'long' | 'full';

/** A bar where a line of text will be, as high as that line. */
export function Skeleton({ width = 'middle' }: { width?: Width }) {
  return <span className={`skeleton skeleton--${width}`} aria-hidden />;
}
