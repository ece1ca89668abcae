import { explainKey } from '@soku/key';
import { useDeferredValue, useState } from 'react';
import { TextField } from '../../components/Field.tsx';
import { Notice } from '../../components/Notice.tsx';

/** Explains a key that is refused, in the browser alone: the text is sent nowhere and kept nowhere. */
export function CheckKey({ prefix }: { prefix: string }) {
  const [text, setText] = useState('');
  const checked = useDeferredValue(text);
  return (
    <div className="check-key">
      <TextField
        label="Your key, as your program sends it"
        placeholder={`${prefix}...`}
        hint="Nothing is sent: the check runs in this page and knows no key. It finds what was cut off, added or mistyped."
        className="check-key__field"
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <div role="status">{checked === '' ? null : <Verdict text={checked} prefix={prefix} />}</div>
    </div>
  );
}

function Verdict({ text, prefix }: { text: string; prefix: string }) {
  const fault = explainKey(text, [prefix]);
  if (fault === null) {
    return (
      <Notice tone="good" key="good">
        <p>This is a whole key: its length, its characters and its checksum are right.</p>
        <p>
          If it is refused nonetheless, it is revoked, expired, or of another deployment: see{' '}
          <a href="#unknown_key">unknown_key</a>, <a href="#revoked_key">revoked_key</a> and{' '}
          <a href="#expired_key">expired_key</a>.
        </p>
      </Notice>
    );
  }
  // The header is read before the key in it, and no key has white space, quotes or angle brackets.
  const code = /[\s"'<>]/.test(text) ? 'malformed_authorization' : fault.code;
  return (
    <Notice tone="bad" key="bad">
      <p>{fault.message}</p>
      <p>
        The API answers <a href={`#${code}`}>{code}</a>.
      </p>
    </Notice>
  );
}
