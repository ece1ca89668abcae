import { checksum } from '@soku/key';

/** The random part of an example key, typed by hand. Its checksum is computed. */
const body = '8fK2mQx4Zt7Wb1Rv9Yc3Nd6Hpa';

/** The parts of a key: prefix, random part and checksum. */
export function KeyAnatomy({ prefix }: { prefix: string }) {
  return (
    <div className="anatomy">
      <p className="anatomy__part">
        <code translate="no">{prefix}</code>
        <span className="anatomy__word">prefix</span>
      </p>
      <p className="anatomy__part">
        <code translate="no">{body}</code>
        <span className="anatomy__word">26 random characters</span>
      </p>
      <p className="anatomy__part">
        <code translate="no">{checksum(prefix + body)}</code>
        <span className="anatomy__word">checksum</span>
      </p>
    </div>
  );
}

export function examplePreview(prefix: string): string {
  return `${prefix}${body.slice(0, 3)}...${checksum(prefix + body).slice(-3)}`;
}
