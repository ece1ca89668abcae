import { type BuiltInScope, builtInScopeSchema } from '@soku/contract/scopes';

const scopeTexts: Record<BuiltInScope, string> = {
  'keys:read': 'List keys with their names, previews and dates, but never the full key.',
  'keys:write': 'Create, rename and revoke keys.',
  'keys:verify': "Check whether someone else's key is valid.",
  'audit:read': 'Read the audit log.',
};

/** Describes a scope of a key. A newer version may have stored a scope that this version does not know. */
export function describeScope(stored: string): string {
  const { data: scope } = builtInScopeSchema.safeParse(stored);
  return scope === undefined ? 'Unknown to this version. It grants nothing here.' : scopeTexts[scope];
}

const scopes = [
  ['keys:read', scopeTexts['keys:read']],
  ['keys:write', scopeTexts['keys:write']],
  ['keys:verify', scopeTexts['keys:verify']],
  ['audit:read', scopeTexts['audit:read']],
] as const satisfies Array<readonly [BuiltInScope, string]>;

export function ScopeFields() {
  return (
    <fieldset className="scopes">
      <legend className="field__label">Scopes for managing keys</legend>
      <p className="field__hint">Most keys don't need these. They only grant access to managing keys.</p>
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
