/** What a key is made of, in one picture of text. */
export function KeyAnatomy({ prefix }: { prefix: string }) {
  return (
    <div className="anatomy">
      <p className="anatomy__part">
        <code>{prefix}</code>
        <span className="anatomy__word">prefix</span>
      </p>
      <p className="anatomy__part">
        <code>8fK2mQx4Zt7Wb1Rv9Yc3Nd6Hpa</code>
        <span className="anatomy__word">26 random characters</span>
      </p>
      <p className="anatomy__part">
        <code>0aB3xZ</code>
        <span className="anatomy__word">checksum</span>
      </p>
    </div>
  );
}
