import { explainKey } from '@soku/key';
import { useDeferredValue, useState } from 'react';
import { useKeyPrefixes } from '../../api/session.ts';
import { TextField } from '../../components/Field.tsx';
import { Notice } from '../../components/Notice.tsx';

/** Explains why a key is rejected. It runs in the browser only: the text is neither sent nor stored. */
export function CheckKey({ prefix }: { prefix: string }) {
  const [text, setText] = useState('');
  const checked = useDeferredValue(text);
  return (
    <div className="check-key">
      <TextField
        label="Your key, as your program sends it"
        placeholder={`${prefix}...`}
        hint="Checked in your browser only; nothing is sent. Finds missing, extra and mistyped characters."
        className="control--mono"
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <div role="status">{checked === '' ? null : <CheckResult text={checked} />}</div>
    </div>
  );
}

function CheckResult({ text }: { text: string }) {
  const problem = explainKey(text, useKeyPrefixes());
  if (problem === null) {
    return (
      <Notice tone="good" key="good">
        <p>This is a full key: its length, characters and checksum are correct.</p>
        <p>
          If the API still rejects it, the key may be revoked, expired, disabled, restricted or from another
          deployment. See <a href="#unknown_key">unknown_key</a>, <a href="#revoked_key">revoked_key</a> and{' '}
          <a href="#expired_key">expired_key</a>.
        </p>
      </Notice>
    );
  }
  // The API checks the header first, and no key contains white space, quotes or angle brackets.
  const code = /[\s"'<>]/.test(text) ? 'malformed_authorization' : problem.code;
  return (
    <Notice tone="bad" key="bad">
      <p>{problem.message}</p>
      <p>
        The API responds with <a href={`#${code}`}>{code}</a>.
      </p>
    </Notice>
  );
}
