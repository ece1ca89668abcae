import { importColumns } from '@soku/contract/import-table';
import { FileUp } from 'lucide-react';
import { type DragEvent, useRef, useState } from 'react';
import { useKeyPrefixes } from '../../../../api/session.ts';
import { Button } from '../../../../components/Button.tsx';
import { Code } from '../../../../components/Code.tsx';
import { Failure } from '../../../../components/Notice.tsx';
import type { ImportFile, UnsuitableFile } from './read-file.ts';

type Problem = { kind: UnsuitableFile['kind'] | 'failed'; error: Error };

/** Takes a CSV or JSON file, chosen or dropped. It is read in the browser. */
export function ChooseFile({ onRead }: { onRead: (file: ImportFile) => void }) {
  const prefixes = useKeyPrefixes();
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setIsOver] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  const read = async (file: File | undefined) => {
    if (!file) return;
    setProblem(null);
    try {
      const { readTableFile } = await import('./read-file.ts');
      onRead(await readTableFile(file, prefixes));
    } catch (error) {
      setProblem(problemOf(error));
    }
  };
  const drag = (over: boolean) => (event: DragEvent) => {
    event.preventDefault();
    setIsOver(over);
  };

  return (
    <>
      <section
        className={`file-drop ${isOver ? 'file-drop--over' : ''}`}
        aria-label="File"
        onDragOver={drag(true)}
        onDragLeave={drag(false)}
        onDrop={(event) => {
          drag(false)(event);
          void read(event.dataTransfer.files[0]);
        }}
      >
        <p className="file-drop__title">Drop a CSV or JSON file here</p>
        <p className="file-drop__text">
          At most 10,000 keys. The file stays in your browser until you import it.
        </p>
        <Button icon={FileUp} onClick={() => input.current?.click()}>
          Choose a file
        </Button>
        <input
          ref={input}
          type="file"
          className="visually-hidden"
          accept=".csv,.json,text/csv,application/json"
          aria-label="File to import"
          tabIndex={-1}
          onChange={({ target }) => {
            void read(target.files?.[0]);
            // The same file can be chosen again after it was corrected.
            target.value = '';
          }}
        />
      </section>
      <FileProblem problem={problem} />
      <FileFormat />
    </>
  );
}

function problemOf(error: unknown): Problem {
  if (!(error instanceof Error)) return { kind: 'failed', error: new Error('The file could not be read.') };
  // The class is in the code that was loaded for the file.
  const kind = 'kind' in error ? error.kind : undefined;
  if (kind === 'unreadable' || kind === 'too-many' || kind === 'keys') return { kind, error };
  return { kind: 'failed', error: new Error('The file could not be read. Reload the page and try again.') };
}

function FileProblem({ problem }: { problem: Problem | null }) {
  return (
    <div className="import-problem">
      <Failure error={problem?.error}>
        {problem?.kind === 'keys' ? (
          <p>The file was not sent. Anyone who has it can use these keys, so delete it if you can.</p>
        ) : null}
      </Failure>
      {problem?.kind === 'too-many' ? (
        <div className="import-command">
          <p>
            This command on the server checks a larger file. Run it again without{' '}
            <code translate="no">--dry-run</code> to import all keys or none. With SQLite, stop Soku first:
          </p>
          <Code code="npm run soku -- import keys.csv --dry-run" label="Import a large file" />
        </div>
      ) : null}
    </div>
  );
}

function FileFormat() {
  return (
    <section className="import-format">
      <h2>What the file contains</h2>
      <p>
        <span>One row for each key, with at least its </span>
        <code translate="no">name</code>
        <span> and its </span>
        <code translate="no">hash</code>
        <span>: the SHA-256 of the full key, as 64 hexadecimal digits or in base64url. For example:</span>
      </p>
      <Code code={example} label="Example file" />
      <p>
        <span>All columns: </span>
        <span className="import-format__fields">
          {importColumns.map((field) => (
            <code key={field} translate="no">
              {field}
            </code>
          ))}
        </span>
      </p>
      <p>
        A hash does not show how strong a key is. Import only keys that were created at random, with at least
        112 bits.
      </p>
    </section>
  );
}

const example = `name,hash,previewStart,previewEnd,scopes
Production Server,3f0a377ba0a4a460ecb616f6507ce0d8cfa3e704025d4fda3ed0c5ca05468728,acme_4f,x9Q,files:read files:write`;
