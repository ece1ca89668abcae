/** The product logo: a key whose bow is a ring. */
export function Logo({ size = 24 }: { size?: number }) {
  return (
    <svg className="mark" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect className="mark__ground" width="32" height="32" rx="8" />
      <g className="mark__key" fill="none" strokeWidth="3" strokeLinecap="round" strokeLinejoin="round">
        <circle cx="11.5" cy="16" r="4.5" />
        <path d="M16 16h9M21.5 16v4M25 16v3" />
      </g>
    </svg>
  );
}
