import type { Scope } from '@soku/contract/scopes';

export const scopeTexts: Record<Scope, string> = {
  'keys:read': 'See the list of keys: names, previews and dates, never a key.',
  'keys:write': 'Make, rename and revoke keys.',
  'keys:verify': "Ask whether somebody else's key is good.",
};

const scopes = [
  ['keys:read', scopeTexts['keys:read']],
  ['keys:write', scopeTexts['keys:write']],
  ['keys:verify', scopeTexts['keys:verify']],
] as const satisfies Array<readonly [Scope, string]>;

export function ScopeFields() {
  return (
    <fieldset className="scopes">
      <legend className="field__label">Scopes for managing keys</legend>
      <p className="field__hint">An ordinary key needs none of them: it opens the API and manages nothing.</p>
      {scopes.map(([scope, text]) => (
        <label key={scope} className="check">
          <input type="checkbox" name="scope" value={scope} />
          <code translate="no">{scope}</code>
          <span className="check__more">{text}</span>
        </label>
      ))}
    </fieldset>
  );
}
