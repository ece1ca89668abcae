import { type ApiResponse, jsonSchemaOf, type Operation, type Schemas } from '../../api/openapi.ts';
import { Code } from '../../components/Code.tsx';
import { FieldTable } from './FieldTable.tsx';
import { Markup } from './Markup.tsx';
import { exampleFromSchema, listFields } from './schema-fields.ts';

/** The responses of one operation, by status. */
export function Responses({ operation, schemas }: { operation: Operation; schemas: Schemas }) {
  return (
    <>
      <h4>Responses</h4>
      <div className="responses">
        {Object.entries(operation.responses).map(([status, response]) => (
          <ResponseEntry
            key={status}
            status={status}
            response={response}
            schemas={schemas}
            of={operation.summary}
          />
        ))}
      </div>
    </>
  );
}

interface ResponseEntryProps {
  status: string;
  response: ApiResponse;
  schemas: Schemas;
  of: string;
}

function ResponseEntry({ status, response, schemas, of }: ResponseEntryProps) {
  const success = status.startsWith('2');
  const schema = success ? jsonSchemaOf(response) : undefined;
  const fields = schema ? listFields(schema, schemas) : [];
  return (
    <details className="response">
      <summary>
        <span className={`response__status ${success ? 'response__status--good' : ''}`}>{status}</span>
        <span className="response__summary">{summaryOf(status, response)}</span>
      </summary>
      <div className="response__body">
        {response.description === 'Default Response' ? null : <Markup text={response.description} />}
        {schema ? (
          <>
            <Code
              label={`response ${status}: ${of}`}
              code={JSON.stringify(exampleFromSchema(schema, schemas), null, 2)}
            />
            <FieldTable of="response" label={`Fields of response ${status}: ${of}`} fields={fields} />
          </>
        ) : null}
      </div>
    </details>
  );
}

function summaryOf(status: string, response: ApiResponse): string {
  if (status.startsWith('2')) return status === '204' ? 'Success, no content' : 'Success';
  const codes = [...response.description.matchAll(/`(\w+)`:/g)].map(([, code]) => code);
  return codes.length > 2 ? `${codes.slice(0, 2).join(', ')} and ${codes.length - 2} more` : codes.join(', ');
}
