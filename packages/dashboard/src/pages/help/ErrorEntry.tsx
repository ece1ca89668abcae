import { type ErrorCode, errorCodeNames, errorCodes, helpPath } from '@soku/contract/error-codes';
import type { ErrorDefinition } from '@soku/contract/error-definition';
import { Code } from '../../components/Code.tsx';
import { CopyButton } from '../../components/CopyButton.tsx';

const statusNames: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
};

const rows: Record<ErrorCode, ErrorDefinition> = errorCodes;

export interface StatusGroup {
  status: number;
  name: string;
  codes: ErrorCode[];
}

export function codesByStatus(): StatusGroup[] {
  const groups = new Map<number, ErrorCode[]>();
  for (const code of errorCodeNames) {
    const { status } = rows[code];
    groups.set(status, [...(groups.get(status) ?? []), code]);
  }
  return [...groups]
    .sort(([a], [b]) => order(a) - order(b))
    .map(([status, codes]) => ({ status, name: statusNames[status] ?? '', codes }));
}

/** 401 comes first because it is the most common. */
function order(status: number): number {
  return status === 401 ? 0 : status;
}

interface ErrorEntryProps {
  code: ErrorCode;
  origin: string;
  /** Whether the address names this code. `:target` does not match if the entry is rendered after navigation. */
  isTarget: boolean;
}

export function ErrorEntry({ code, origin, isTarget }: ErrorEntryProps) {
  const row = rows[code];
  return (
    <article
      className="error-entry"
      id={code}
      aria-labelledby={`${code}-title`}
      aria-current={isTarget ? 'location' : undefined}
    >
      <header className="error-entry__head">
        <h3 id={`${code}-title`} className="error-entry__title">
          <a href={`#${code}`} className="prose__anchor">
            {row.title}
          </a>
        </h3>
        <CopyButton text={() => origin + helpPath(code)} what={`to ${code}`} label="Copy link" />
      </header>
      <p className="error-entry__code">
        <code translate="no">{code}</code> <span>{`${row.status} ${statusNames[row.status]}`}</span>
      </p>
      <p>{row.cause}</p>
      <p>
        <strong>What to do.</strong> <span>{row.remedy}</span>
      </p>
      <details className="error-entry__answer">
        <summary>Example response</summary>
        <Code label={`response for ${code}`} code={exampleResponse(code, row)} />
      </details>
    </article>
  );
}

const challenges: Record<NonNullable<ErrorDefinition['challenge']>, string> = {
  realm: '',
  invalid_request: ', error="invalid_request", error_description="..."',
  invalid_token: ', error="invalid_token", error_description="..."',
  insufficient_scope: ', error="insufficient_scope", scope="..."',
};

function exampleResponse(code: ErrorCode, row: ErrorDefinition): string {
  const challenge = row.challenge
    ? `\nWWW-Authenticate: Bearer realm="soku"${challenges[row.challenge]}`
    : '';
  const body = {
    error: {
      type: row.type,
      code,
      message: '...',
      timestamp: '2030-01-31T12:00:00.000Z',
      requestId: 'req_...',
    },
  };
  return `HTTP/1.1 ${row.status} ${statusNames[row.status] ?? ''}${challenge}\n\n${JSON.stringify(body, null, 2)}`;
}
