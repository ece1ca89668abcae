import { builtInScopeSchema, builtInScopeTexts } from '@soku/contract/scopes';

/** Describes a scope of a key. A newer version may have stored a scope that this version does not know. */
export function describeScope(stored: string): string {
  const { data: scope } = builtInScopeSchema.safeParse(stored);
  return scope === undefined ? 'Unknown to this version. It grants nothing here.' : builtInScopeTexts[scope];
}

export function ScopeFields() {
  return (
    <fieldset className="scopes">
      <legend className="field__label">Scopes for managing keys</legend>
      <p className="field__hint">Most keys don't need these. They only grant access to managing keys.</p>
      {builtInScopeSchema.options.map((scope) => (
        <label key={scope} className="check">
          <input type="checkbox" name="scope" value={scope} />
          <code translate="no">{scope}</code>
          <span className="check__more">{builtInScopeTexts[scope]}</span>
        </label>
      ))}
    </fieldset>
  );
}
