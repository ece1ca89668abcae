import {
  type CatalogScope,
  changeScopesSchema,
  maxCatalogScopes,
  maxScopeDescriptionLength,
} from '@soku/contract/scope-catalog';
import { useQueryClient } from '@tanstack/react-query';
import { changeScopes } from '../../../../api/change-scopes.ts';
import { Dialog } from '../../../../components/Dialog.tsx';
import { TextField } from '../../../../components/Field.tsx';
import { FormActions } from '../../../../components/FormActions.tsx';
import { announce } from '../../../../components/Toast.tsx';
import { InvalidFields, parseForm, useSubmit } from '../../../../components/use-submit.ts';
import { withSignIn } from '../../../../session/sign-in-again.ts';

const scopeSchema = changeScopesSchema.shape.scopes.element;

interface ScopeDialogProps {
  /** The scopes of the workspace. */
  scopes: CatalogScope[];
  /** The scope whose description is changed; otherwise one is added. */
  scope?: CatalogScope;
  onClose: () => void;
}

/** Adds a scope, or changes its description. Its name stays, because keys and programs refer to it. */
export function ScopeDialog({ scopes, scope, onClose }: ScopeDialogProps) {
  const client = useQueryClient();
  const { busy, problems, failure, submit, edit } = useSubmit(
    async (fields) => {
      if (scope) fields.set('name', scope.name);
      const entered = parseForm(fields, scopeSchema);
      if (!scope && scopes.some(({ name }) => name === entered.name))
        throw new InvalidFields({ name: 'This scope already exists.' });
      if (!scope && scopes.length >= maxCatalogScopes)
        throw new InvalidFields({ name: `A workspace can have at most ${maxCatalogScopes} scopes.` });
      await withSignIn(() =>
        changeScopes(client, (own) => [...own.filter(({ name }) => name !== entered.name), entered]),
      );
      announce(scope ? `Changed the description of ${entered.name}.` : `Added the scope ${entered.name}.`);
      onClose();
    },
    // The fields of the call are those of all scopes.
    { problemsOf: () => ({}) },
  );

  return (
    <Dialog title={scope ? 'Edit scope' : 'Add scope'} onCloseRequest={onClose}>
      <form className="form" onSubmit={submit} onInput={edit} noValidate>
        {scope ? (
          <p>
            <code translate="no">{scope.name}</code>
          </p>
        ) : (
          <TextField
            label="Name"
            name="name"
            placeholder="files:read"
            className="control--mono"
            maxLength={64}
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            data-autofocus
            hint="A resource, a colon, and an action. The name cannot be changed later."
            problem={problems.name}
          />
        )}
        <TextField
          label="Description"
          name="description"
          placeholder="Read files and their metadata"
          maxLength={maxScopeDescriptionLength}
          autoComplete="off"
          defaultValue={scope?.description}
          data-autofocus={scope ? true : undefined}
          hint="Helps people choose scopes for a key."
          problem={problems.description}
        />
        <FormActions failure={failure} busy={busy} onCancel={onClose} submit={scope ? 'Save' : 'Add scope'} />
      </form>
    </Dialog>
  );
}
