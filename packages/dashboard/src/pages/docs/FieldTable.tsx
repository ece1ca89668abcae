import { Inline } from './Markup.tsx';
import type { SchemaField } from './schema-fields.ts';

export function FieldTable({ label, fields }: { label: string; fields: SchemaField[] }) {
  return (
    <dl className="fields" aria-label={label}>
      {fields.map((field) => (
        <div className="fields__field" key={field.path}>
          <dt>
            <code className="fields__name">{field.path}</code>
            <span className="fields__type">{field.type}</span>
            {field.required ? <span className="fields__required">required</span> : null}
          </dt>
          {field.description === '' ? null : (
            <dd>
              <Inline text={field.description} />
            </dd>
          )}
        </div>
      ))}
    </dl>
  );
}
