import './Logo.css';

/** The product's mark: a key in profile. */
function Logo() {
  return (
    <svg className="mark" width="31" height="16" viewBox="0 0 31 16" aria-hidden="true">
      <path d="M12 6H31V9H12ZM15 9H18V11H15ZM19 9H22V13H19ZM23 9H26V11H23ZM27 9H30V15H27Z" />
      <path
        fillRule="evenodd"
        d="M6.5 1.5a6 6 0 1 1 0 12a6 6 0 0 1 0-12Zm0 3.4a2.6 2.6 0 1 0 0 5.2a2.6 2.6 0 0 0 0-5.2Z"
      />
    </svg>
  );
}

/** The mark with the name of the product. */
export function Brand() {
  return (
    <span className="brand">
      <Logo />
      <span translate="no">Soku</span>
    </span>
  );
}
