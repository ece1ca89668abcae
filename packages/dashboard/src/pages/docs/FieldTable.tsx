import { InlineMarkup } from './Markup.tsx';
import type { SchemaField } from './schema-fields.ts';

interface FieldTableProps {
  label: string;
  fields: SchemaField[];
  /** The fields of a request are marked if they are required, those of a response if they are optional. */
  of: 'request' | 'response';
}

export function FieldTable({ label, fields, of }: FieldTableProps) {
  return (
    <dl className="fields" aria-label={label}>
      {fields.map((field) => (
        <div className="fields__field" key={field.path}>
          <dt>
            <code translate="no" className="fields__name">
              {field.path}
            </code>
            <span className="fields__type">{field.type}</span>
            {of === 'request' && field.required ? <span className="fields__required">required</span> : null}
            {of === 'response' && !field.required ? <span className="fields__type">optional</span> : null}
          </dt>
          {field.description === '' ? null : (
            <dd>
              <InlineMarkup text={field.description} />
            </dd>
          )}
        </div>
      ))}
    </dl>
  );
}
