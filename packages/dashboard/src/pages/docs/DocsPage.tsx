import '../help/HelpPage.css';
import './DocsPage.css';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { type ApiDocument, openApiOptions, operationsByTag } from '../../api/openapi.ts';
import { currentPublicUrl, withBasePath } from '../../base-path.ts';
import { Button } from '../../components/Button.tsx';
import { Failure } from '../../components/Notice.tsx';
import { PageHead } from '../../components/PageHead.tsx';
import { Skeleton } from '../../components/Skeleton.tsx';
import { TableOfContents } from '../../components/TableOfContents.tsx';
import { OperationEntry } from './OperationEntry.tsx';
import { usePastedKey } from './pasted-key.ts';

export function DocsPage() {
  const { data, error, refetch } = useQuery(openApiOptions);
  return (
    <>
      <PageHead title="API reference">
        <span>
          Generated from <a href={withBasePath('/openapi.json')}>openapi.json</a>, whose schemas the server
          uses to validate requests. Every call needs the header described in{' '}
          <Link to="/help/authentication">Authentication</Link>.
        </span>
      </PageHead>
      {data ? <Reference document={data} /> : null}
      {!data && error ? (
        <Failure error={error}>
          <p>
            <Button onClick={() => refetch()}>Try again</Button>
          </p>
        </Failure>
      ) : null}
      {!data && !error ? (
        <div className="docs__pending" aria-hidden>
          <Skeleton width="full" />
          <Skeleton width="full" />
          <Skeleton width="full" />
        </div>
      ) : null}
    </>
  );
}

function Reference({ document }: { document: ApiDocument }) {
  const groups = operationsByTag(document);
  const origin = document.servers[0]?.url ?? currentPublicUrl();
  const pastedKey = usePastedKey();
  /** The operation whose form is open. There is one form at a time, so that there is one field with the key. */
  const [tried, setTried] = useState<string | null>(null);
  useScrollToHash();

  return (
    <div className="docs with-contents">
      <TableOfContents
        groups={groups.map(({ name, operations }) => ({
          name,
          entries: operations.map(({ id, summary }) => ({ id, title: summary })),
        }))}
      />
      <div className="docs__main">
        <nav aria-label="Operations" className="docs__index">
          {groups.map((group) => (
            <div key={group.name}>
              <p className="docs__index-name">{group.name}</p>
              <ul>
                {group.operations.map((operation) => (
                  <li key={operation.id}>
                    <a href={`#${operation.id}`}>
                      <span className={`method method--${operation.method.toLowerCase()}`}>
                        {operation.method}
                      </span>
                      <code translate="no">{operation.path}</code>
                    </a>
                    <span className="docs__index-summary">{operation.summary}</span>
                  </li>
                ))}
              </ul>
            </div>
          ))}
        </nav>
        {groups.map((group) => (
          <section key={group.name} className="docs__group" aria-labelledby={`group-${group.name}`}>
            <h2 id={`group-${group.name}`}>{group.name}</h2>
            <p className="docs__group-lead">{group.description}</p>
            {group.operations.map((operation) => (
              <OperationEntry
                key={operation.id}
                operation={operation}
                schemas={document.components.schemas}
                origin={origin}
                pastedKey={pastedKey}
                isTried={operation.id === tried}
                onTry={() => setTried(operation.id === tried ? null : operation.id)}
              />
            ))}
          </section>
        ))}
      </div>
    </div>
  );
}

/** The browser looks for the anchor before the document has loaded, so this scrolls to it again. */
function useScrollToHash(): void {
  useEffect(() => {
    const { hash } = window.location;
    if (hash !== '') document.getElementById(decodeURIComponent(hash.slice(1)))?.scrollIntoView();
  }, []);
}
