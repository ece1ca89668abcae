import type { Parameter, Schemas } from '../../api/openapi.ts';
import { SelectField, TextField } from '../../components/Field.tsx';
import { describeType, resolveRef } from './schema-fields.ts';

interface ParameterFieldProps {
  parameter: Parameter;
  schemas: Schemas;
  problem: string | undefined;
}

export function ParameterField({ parameter, schemas, problem }: ParameterFieldProps) {
  const { name, required, schema } = parameter;
  const values = schema ? resolveRef(schema, schemas).enum : undefined;
  const label = required ? name : `${name} (optional)`;
  if (values)
    return (
      <SelectField label={label} name={name} defaultValue="" problem={problem}>
        <option value="">Not sent</option>
        {values.map((value) => (
          <option key={String(value)} value={String(value)}>
            {String(value)}
          </option>
        ))}
      </SelectField>
    );
  return (
    <TextField
      label={label}
      name={name}
      placeholder={schema ? describeType(schema, schemas) : 'string'}
      problem={problem}
      className="control--mono"
      autoComplete="off"
      autoCapitalize="none"
      spellCheck={false}
    />
  );
}
