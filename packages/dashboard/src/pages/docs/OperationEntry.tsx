import { jsonSchemaOf, type Operation, type Parameter, type Schemas } from '../../api/openapi.ts';
import { Code } from '../../components/Code.tsx';
import { curlExample, needsKey } from './curl-example.ts';
import { FieldTable } from './FieldTable.tsx';
import { Markup } from './Markup.tsx';
import type { PastedKey } from './pasted-key.ts';
import { Responses } from './Responses.tsx';
import { describeType, listFields, type SchemaField } from './schema-fields.ts';
import { canTry, TryIt } from './TryIt.tsx';

interface OperationEntryProps {
  operation: Operation;
  schemas: Schemas;
  origin: string;
  pastedKey: PastedKey;
  isTried: boolean;
  onTry: () => void;
}

export function OperationEntry({
  operation,
  schemas,
  origin,
  pastedKey,
  isTried,
  onTry,
}: OperationEntryProps) {
  const body = jsonSchemaOf(operation.requestBody);
  const parameters = operation.parameters.map((parameter) => parameterField(parameter, schemas));
  return (
    <article className="operation" id={operation.id} aria-labelledby={`${operation.id}-title`}>
      <div className="operation__text">
        <h3 id={`${operation.id}-title`} className="operation__title">
          <a href={`#${operation.id}`} className="prose__anchor">
            {operation.summary}
          </a>
        </h3>
        <p className="operation__call">
          <span className={`method method--${operation.method.toLowerCase()}`}>{operation.method}</span>
          <code translate="no">{operation.path}</code>
        </p>
        <Markup text={operation.description} />
        {parameters.length > 0 ? (
          <>
            <h4>Parameters</h4>
            <FieldTable of="request" label={`Parameters of ${operation.summary}`} fields={parameters} />
          </>
        ) : null}
        {body ? (
          <>
            <h4>Body</h4>
            <FieldTable
              of="request"
              label={`Body of ${operation.summary}`}
              fields={listFields(body, schemas)}
            />
          </>
        ) : null}
        <Responses operation={operation} schemas={schemas} />
      </div>
      <div className="operation__example">
        <Code
          head="curl"
          label={`curl: ${operation.summary}`}
          code={curlExample(operation, origin, schemas)}
        />
        {needsKey(operation) ? null : <p className="operation__open">No key required.</p>}
        {canTry(operation) ? (
          <TryIt
            operation={operation}
            schemas={schemas}
            pastedKey={pastedKey}
            isOpen={isTried}
            onToggle={onTry}
          />
        ) : null}
      </div>
    </article>
  );
}

function parameterField(parameter: Parameter, schemas: Schemas): SchemaField {
  const value = parameter.schema?.default;
  const notes = [parameter.description, value === undefined ? '' : `Default: \`${String(value)}\``];
  return {
    path: parameter.name,
    type: `${parameter.in}, ${parameter.schema ? describeType(parameter.schema, schemas) : 'string'}`,
    required: parameter.required,
    description: notes.filter((note) => note !== '').join('. '),
  };
}
