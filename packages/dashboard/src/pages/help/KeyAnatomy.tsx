import { checksum } from '@soku/key';

/** Nobody's key: the random part was typed by hand. The checksum is the real one. */
const body = '8fK2mQx4Zt7Wb1Rv9Yc3Nd6Hpa';

/** What a key is made of, in one picture of text. */
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
