import { Link } from '@tanstack/react-router';
import { Code } from '../../components/Code.tsx';
import { Part } from './HelpPage.tsx';

export function AuditLog() {
  return (
    <Part id="audit" title="See who changed what">
      <p>
        <Link to="/settings/audit">Settings, Audit log</Link> lists every change of keys, settings and
        accounts, and each sign-in: who, when, from which address, and the old and new values. The page of a
        key links to the entries of that key.
      </p>
      <p>
        Each entry is sealed within about a second: its hash covers the entry and the hash of the one before
        it. On the server, this command reports the first entry that was edited, moved or removed:
      </p>
      <Code label="command to verify the audit log" code="npm run soku -- audit verify" />
      <p>
        Someone with write access to the database can rewrite the log and compute the hashes again, or remove
        its newest entries. Only an export in another place reveals that, so export regularly and compare:
      </p>
      <Code
        label="command to compare the audit log with an export"
        code="npm run soku -- audit verify --anchor audit.jsonl"
      />
      <p>
        A program can export with <code translate="no">GET /v1/audit/export</code> and a key that has the
        scope <code translate="no">audit:read</code>.
      </p>
    </Part>
  );
}
