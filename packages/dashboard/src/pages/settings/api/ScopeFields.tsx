import { type Scope, scopeSchema } from '@soku/contract/scopes';

const scopeTexts: Record<Scope, string> = {
  'keys:read': 'See the list of keys: names, previews and dates, never a key.',
  'keys:write': 'Make, rename and revoke keys.',
  'keys:verify': "Ask whether somebody else's key is good.",
  'audit:read': 'Read the audit log.',
};

/** What a scope of a key lets it do. A newer version may have written one that this version does not know. */
export function scopeTextOf(stored: string): string {
  const { data: scope } = scopeSchema.safeParse(stored);
  return scope === undefined ? 'Not known to this version. It grants nothing here.' : scopeTexts[scope];
}

const scopes = [
  ['keys:read', scopeTexts['keys:read']],
  ['keys:write', scopeTexts['keys:write']],
  ['keys:verify', scopeTexts['keys:verify']],
  ['audit:read', scopeTexts['audit:read']],
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
